package dev.jarvis.budget;

import dev.jarvis.storage.RedisGuard;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.List;
import java.util.UUID;

/**
 * Tells Redis which calls the ledger has, so that they are no longer registered; what Redis does
 * not take is sent again by the upkeep. Thread-safe.
 */
final class Confirmations {
  private static final int SENT_AT_ONCE = 500;

  /** More are found by {@link Leftovers}. */
  private static final int MAX_WAITING = 200_000;

  private final RedisReservations redis;
  private final RedisGuard guard;
  private final Deque<UUID> waiting = new ArrayDeque<>();

  Confirmations(RedisReservations redis, RedisGuard guard) {
    this.redis = redis;
    this.guard = guard;
  }

  void add(Collection<UUID> calls) {
    synchronized (waiting) {
      calls.stream().limit(MAX_WAITING - waiting.size()).forEach(waiting::add);
    }
  }

  /** Sends all that wait, if Redis is well; never waits. */
  void send() {
    for (List<UUID> calls = next(); !calls.isEmpty(); calls = next()) {
      List<UUID> sent = calls;
      var _ =
          redis
              .confirm(sent)
              .exceptionally(
                  _ -> {
                    add(sent);
                    return 0L;
                  });
    }
  }

  private List<UUID> next() {
    List<UUID> calls = new ArrayList<>();
    synchronized (waiting) {
      while (guard.closed() && calls.size() < SENT_AT_ONCE && !waiting.isEmpty()) {
        calls.add(waiting.remove());
      }
    }
    return calls;
  }
}
