package dev.jarvis.budget;

import java.util.function.LongSupplier;

/** The time of Redis, as far as this replica has learnt it. Thread-safe. */
final class Clock {
  private final LongSupplier own;
  private volatile long ahead;

  /**
   * @param own milliseconds since the epoch by this machine
   */
  Clock(LongSupplier own) {
    this.own = own;
  }

  /** Notes what Redis says. */
  void learn(long redisMillis) {
    ahead = redisMillis - own.getAsLong();
  }

  long millis() {
    return own.getAsLong() + ahead;
  }
}
