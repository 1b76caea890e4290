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
  private final BaseRefresh bases;
  private final Deque<UUID> waiting = new ArrayDeque<>();

  Confirmations(RedisReservations redis, RedisGuard guard, BaseRefresh bases) {
    this.redis = redis;
    this.guard = guard;
    this.bases = bases;
  }

  void add(Collection<UUID> calls) {
    synchronized (waiting) {
      calls.stream().limit(Math.max(0, MAX_WAITING - waiting.size())).forEach(waiting::add);
    }
  }

  /** Sends all that wait, once, if Redis is well; never waits. */
  void send() {
    if (guard.closed()) {
      taken().forEach(this::send);
    }
  }

  private void send(List<UUID> calls) {
    var _ =
        redis
            .confirm(calls)
            .whenComplete(
                (counters, failure) -> {
                  if (failure == null) {
                    bases.changed(counters); // so that a base takes the amounts in
                  } else {
                    add(calls);
                  }
                });
  }

  private List<List<UUID>> taken() {
    List<List<UUID>> batches = new ArrayList<>();
    synchronized (waiting) {
      while (!waiting.isEmpty()) {
        List<UUID> batch = new ArrayList<>();
        while (batch.size() < SENT_AT_ONCE && !waiting.isEmpty()) {
          batch.add(waiting.remove());
        }
        batches.add(batch);
      }
    }
    return batches;
  }
}
