package dev.jarvis.limit;

import java.util.HashMap;
import java.util.Map;

/** The calls in progress, each until the end of its lease. Not thread-safe. */
final class LeasedSlots {
  /** Nobody knows when a call ends. */
  private static final long WAIT_MILLIS = 1000;

  private final Map<String, Long> leases = new HashMap<>();

  long used(long nowMillis) {
    leases.values().removeIf(it -> it <= nowMillis);
    return leases.size();
  }

  void hold(String call, long untilMillis) {
    leases.put(call, untilMillis);
  }

  void free(String call) {
    leases.remove(call);
  }

  long waitMillis(long nowMillis, long amount, long limit) {
    return used(nowMillis) + amount > limit ? WAIT_MILLIS : 0;
  }
}
