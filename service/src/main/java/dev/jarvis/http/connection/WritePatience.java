package dev.jarvis.http.connection;

import java.time.Duration;

/**
 * How long a client may still block the writes of a response. Time that a write takes uses it up,
 * bytes that were written give it back, up to the limit. So a client that takes the least rate is
 * not given up, however long its response is, as far as the system's buffers let its rate show; a
 * slower one is, with all that is held in memory for it. Time between writes does not count: then
 * it is the model that is slow. Used by one thread.
 */
final class WritePatience {
  /**
   * Slow mobile networks have more; the 1 MiB of a buffered answer is held for a minute at that.
   */
  static final int LEAST_BYTES_PER_SECOND = 16 << 10;

  private static final long NANOS_PER_BYTE =
      Duration.ofSeconds(1).toNanos() / LEAST_BYTES_PER_SECOND;

  private final Duration limit;
  private Duration left;

  /**
   * @param limit of what a client has in reserve
   */
  WritePatience(Duration limit) {
    this.limit = limit;
    this.left = limit;
  }

  /** A new response begins. */
  void renew() {
    left = limit;
  }

  /** How long the next write may take; zero at least. */
  Duration left() {
    return left;
  }

  /** A write has ended. */
  void wrote(int bytes, long nanos) {
    Duration balance = left.plusNanos(bytes * NANOS_PER_BYTE - nanos);
    Duration capped = balance.compareTo(limit) > 0 ? limit : balance;
    left = capped.isNegative() ? Duration.ZERO : capped;
  }
}
