package dev.jarvis.budget;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * The calls of this replica that Redis must know of again after it was emptied: those that the
 * ledger does not have, and for a minute those that it has, because a base may have been read
 * before. Bounded: while PostgreSQL is away for long, the calls that were settled first are
 * forgotten here; they stay in Redis and in the spool. Thread-safe.
 */
final class OpenCalls {
  private static final int MAX_SETTLED = 200_000;
  private static final int MAX_CONFIRMED = 100_000;
  private static final long CONFIRMED_MILLIS = 60_000;

  private final LongSupplier clock;
  private final Map<UUID, OpenCall> calls = new HashMap<>();
  private final Deque<UUID> settled = new ArrayDeque<>();
  private final Deque<Confirmed> confirmed = new ArrayDeque<>();

  private boolean forgotten;

  private record Confirmed(long atMillis, OpenCall call) {}

  /**
   * @param clock milliseconds of any epoch
   */
  OpenCalls(LongSupplier clock) {
    this.clock = clock;
  }

  synchronized void add(OpenCall call) {
    calls.put(call.demand().call(), call);
    if (call.isSettled()) {
      settled(call);
    }
  }

  /** Notes that a call is settled: it stays until the ledger has it. */
  synchronized void settled(OpenCall call) {
    settled.add(call.demand().call());
    while (settled.size() > MAX_SETTLED) {
      calls.remove(settled.remove());
      forgotten = true;
    }
  }

  /** Whether calls that the ledger does not have were forgotten here. */
  synchronized boolean hasForgotten() {
    return forgotten;
  }

  /** Forgets a call that used nothing. */
  synchronized void remove(UUID call) {
    calls.remove(call);
  }

  /** Notes that the ledger has calls. */
  synchronized void confirmed(Collection<UUID> ids) {
    long now = clock.getAsLong();
    for (UUID id : ids) {
      OpenCall call = calls.remove(id);
      if (call != null && !call.counters().isEmpty()) {
        confirmed.add(new Confirmed(now, call));
      }
    }
    while (confirmed.size() > MAX_CONFIRMED
        || (!confirmed.isEmpty() && now - confirmed.getFirst().atMillis() > CONFIRMED_MILLIS)) {
      confirmed.remove();
    }
    while (!settled.isEmpty() && !calls.containsKey(settled.getFirst())) {
      settled.remove();
    }
  }

  synchronized @Nullable OpenCall find(UUID id) {
    return calls.get(id);
  }

  /** Those that the ledger does not have. */
  synchronized List<OpenCall> unconfirmed() {
    return new ArrayList<>(calls.values());
  }

  /** Those that the ledger has had for less than a minute. */
  synchronized List<OpenCall> justConfirmed() {
    long now = clock.getAsLong();
    return confirmed.stream()
        .filter(it -> now - it.atMillis() <= CONFIRMED_MILLIS)
        .map(Confirmed::call)
        .toList();
  }

  /** How many calls have not ended, and how many the ledger does not have yet, by the label. */
  synchronized Map<String, Long> numbers() {
    long ended = calls.values().stream().filter(OpenCall::isSettled).count();
    return Map.of("open", calls.size() - ended, "settled", ended);
  }
}
