package dev.jarvis.limit;

import dev.jarvis.limit.Counter.Kind;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Counters in memory, which count as the scripts do that {@link RedisCounters} sends. Bounded: the
 * counters that were used longest ago are forgotten. Thread-safe.
 */
final class LocalCounters {
  private static final int MAX_COUNTERS = 50_000;

  private final long leaseMillis;
  private final Map<Counter, SlidingWindow> windows = new Recent<>();
  private final Map<Counter, LeasedSlots> slots = new Recent<>();

  /** The entries that were used last. */
  private static final class Recent<V> extends LinkedHashMap<Counter, V> {
    private static final long serialVersionUID = 1L;

    Recent() {
      super(16, 0.75f, true);
    }

    @Override
    protected boolean removeEldestEntry(Map.Entry<Counter, V> eldest) {
      return size() > MAX_COUNTERS;
    }
  }

  /**
   * @param lease after which the slot of a call is free that was neither renewed nor settled
   */
  LocalCounters(Duration lease) {
    this.leaseMillis = lease.toMillis();
  }

  /** Takes what a call needs from all counters, or from none. */
  synchronized Verdict take(long nowMillis, String call, List<Demand> demands) {
    boolean granted = demands.stream().allMatch(it -> waitMillis(nowMillis, it) == 0);
    if (granted) {
      add(nowMillis, call, demands);
    }
    return new Verdict(
        granted,
        SlidingWindow.second(nowMillis),
        demands.stream().map(it -> state(nowMillis, it, granted)).toList());
  }

  /**
   * Takes what a call needs, whatever the limits.
   *
   * @return the second in which it is counted
   */
  synchronized long add(long nowMillis, String call, List<Demand> demands) {
    long second = SlidingWindow.second(nowMillis);
    for (Demand demand : demands) {
      if (demand.counter().kind() == Kind.PARALLEL) {
        slots(demand.counter()).hold(call, nowMillis + leaseMillis);
      } else {
        window(demand.counter()).add(second, demand.amount());
      }
    }
    return second;
  }

  /** Books the difference between what a call took and what it used, and frees its slots. */
  synchronized void settle(long nowMillis, String call, long second, List<Change> changes) {
    for (Change change : changes) {
      if (change.counter().kind() == Kind.PARALLEL) {
        slots(change.counter()).free(call);
      } else if (change.amount() > 0) {
        window(change.counter()).add(SlidingWindow.second(nowMillis), change.amount());
      } else {
        window(change.counter()).takeBack(second, -change.amount());
      }
    }
  }

  /** Extends the leases of a call in progress; adds those that are missing. */
  synchronized void renew(long nowMillis, String call, List<Counter> counters) {
    counters.forEach(it -> slots(it).hold(call, nowMillis + leaseMillis));
  }

  private Verdict.State state(long nowMillis, Demand demand, boolean granted) {
    long wait = granted ? 0 : waitMillis(nowMillis, demand);
    if (demand.counter().kind() == Kind.PARALLEL) {
      return new Verdict.State(slots(demand.counter()).used(nowMillis), wait, 0);
    }
    SlidingWindow window = window(demand.counter());
    return new Verdict.State(window.used(nowMillis), wait, window.resetMillis(nowMillis));
  }

  private long waitMillis(long nowMillis, Demand demand) {
    return demand.counter().kind() == Kind.PARALLEL
        ? slots(demand.counter()).waitMillis(nowMillis, demand.amount(), demand.limit())
        : window(demand.counter()).waitMillis(nowMillis, demand.amount(), demand.limit());
  }

  private SlidingWindow window(Counter counter) {
    return windows.computeIfAbsent(counter, it -> new SlidingWindow());
  }

  private LeasedSlots slots(Counter counter) {
    return slots.computeIfAbsent(counter, it -> new LeasedSlots());
  }
}
