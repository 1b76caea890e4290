package dev.jarvis.model;

import io.netty.util.HashedWheelTimer;
import io.netty.util.Timeout;
import java.io.Closeable;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.TimeUnit;

/**
 * Closes what is read from for too long. The JDK's HttpClient limits the wait for headers only; a
 * body that stalls is ended by closing its stream from here, which wakes the reader and drops the
 * connection. So a reader needs no thread of its own, and a time-out and a cancelled request take
 * the same way.
 */
final class Watchdog {
  /**
   * Each token of each stream sets an alarm and cancels it: this timer takes no lock for either. An
   * alarm may be late by a tick, and is never early.
   */
  private static final HashedWheelTimer TIMER =
      new HashedWheelTimer(
          Thread.ofPlatform().daemon().name("model-watchdog").factory(),
          100,
          TimeUnit.MILLISECONDS,
          512,
          false);

  private Watchdog() {}

  /** Closes the source after the limit unless the alarm is closed before. */
  static Alarm watch(Closeable source, Duration limit) {
    return new Alarm(source, limit);
  }

  static final class Alarm implements AutoCloseable {
    private final Timeout due;
    private volatile boolean rang;

    private Alarm(Closeable source, Duration limit) {
      due =
          TIMER.newTimeout(
              timeout -> {
                rang = true;
                closeQuietly(source);
              },
              limit.toNanos(),
              TimeUnit.NANOSECONDS);
    }

    boolean rang() {
      return rang;
    }

    @Override
    public void close() {
      due.cancel();
    }
  }

  static void closeQuietly(Closeable source) {
    try {
      source.close();
    } catch (IOException ignored) {
      // It is given up either way.
    }
  }
}
