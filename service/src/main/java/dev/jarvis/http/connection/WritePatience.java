package dev.jarvis.http.connection;

import java.time.Duration;

/**
 * How long a client may still block the writes of a response. The duration of a write reduces it
 * and the bytes written restore it, up to the limit. So a client that reads at the minimum rate can
 * read a response of any length, as far as the system's buffers show its rate; a slower one is
 * disconnected, which frees the memory held for it. Time between writes does not count, because
 * then the model is slow. Used by one thread.
 */
final class WritePatience {
  /**
   * Slow mobile networks are faster. At this rate, a buffered answer of 1 MiB is held for a minute.
   */
  static final int LEAST_BYTES_PER_SECOND = 16 << 10;

  private static final long NANOS_PER_BYTE =
      Duration.ofSeconds(1).toNanos() / LEAST_BYTES_PER_SECOND;

  private final Duration limit;
  private Duration left;

  /**
   * @param limit the maximum
   */
  WritePatience(Duration limit) {
    this.limit = limit;
    this.left = limit;
  }

  /** A new response begins. */
  void renew() {
    left = limit;
  }

  /** How long the next write may take; never negative. */
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
