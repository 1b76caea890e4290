package dev.jarvis.model;

import java.io.Closeable;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/**
 * Closes what is read from for too long. The JDK's HttpClient limits the wait for headers only; a
 * body that stalls is ended by closing its stream from here, which wakes the reader and drops the
 * connection. So a reader needs no thread of its own, and a time-out and a cancelled request take
 * the same way.
 */
final class Watchdog implements AutoCloseable {
  private final ScheduledThreadPoolExecutor timer;

  Watchdog() {
    timer =
        new ScheduledThreadPoolExecutor(
            1,
            Thread.ofPlatform().daemon().name("model-watchdog").factory(),
            // Once closed: the client is closed then too, and whoever reads is woken by that.
            new ThreadPoolExecutor.DiscardPolicy());
    // Nearly every alarm is cancelled: it must not stay in the queue until it is due.
    timer.setRemoveOnCancelPolicy(true);
  }

  /** Closes the source after the limit unless the alarm is closed before. */
  Alarm watch(Closeable source, Duration limit) {
    return new Alarm(source, limit);
  }

  @Override
  public void close() {
    timer.shutdownNow();
  }

  final class Alarm implements AutoCloseable {
    private final ScheduledFuture<?> due;
    private volatile boolean rang;

    private Alarm(Closeable source, Duration limit) {
      due =
          timer.schedule(
              () -> {
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
      due.cancel(false);
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
