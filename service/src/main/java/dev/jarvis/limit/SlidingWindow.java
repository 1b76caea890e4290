package dev.jarvis.limit;

import java.util.Map;
import java.util.TreeMap;

/**
 * A sum over the last minute, in buckets of a second. A bucket counts for as long as any of its
 * moments is less than 60 s ago, so the sum of no 60 s is ever above the limit. Not thread-safe.
 */
final class SlidingWindow {
  private static final int SECONDS = 60;

  private final TreeMap<Long, Long> buckets = new TreeMap<>();

  static long second(long nowMillis) {
    return Math.floorDiv(nowMillis, 1000L);
  }

  long used(long nowMillis) {
    forget(second(nowMillis));
    return buckets.values().stream().mapToLong(it -> it).sum();
  }

  void add(long second, long amount) {
    forget(second); // adding alone must not fill the memory
    if (amount > 0) {
      buckets.merge(second, amount, Long::sum);
    }
  }

  private void forget(long second) {
    buckets.headMap(second - SECONDS).clear();
  }

  /** The number of seconds that it remembers. */
  int size() {
    return buckets.size();
  }

  /** Takes back from a bucket what is still there. */
  void takeBack(long second, long amount) {
    buckets.computeIfPresent(second, (at, number) -> number > amount ? number - amount : null);
  }

  /** How long it takes until an amount fits under the limit; 0 if it does now. */
  long waitMillis(long nowMillis, long amount, long limit) {
    long free = limit - used(nowMillis);
    long wait = 0;
    for (Map.Entry<Long, Long> bucket : buckets.entrySet()) {
      if (free >= amount) {
        break;
      }
      free += bucket.getValue();
      wait = left(bucket.getKey(), nowMillis);
    }
    return wait;
  }

  long resetMillis(long nowMillis) {
    return buckets.isEmpty() ? 0 : left(buckets.lastKey(), nowMillis);
  }

  /** How long a bucket still counts. */
  private static long left(long second, long nowMillis) {
    return (second + SECONDS + 1) * 1000 - nowMillis;
  }
}
