package dev.jarvis.http;

import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/**
 * A limit for the time that a client takes to accept what is written: the server has none of its
 * own, so the writing thread is interrupted, which closes its socket.
 */
public final class WriteLimit {
  private static final ScheduledThreadPoolExecutor CLOCK = clock();

  private WriteLimit() {}

  /** What is written. */
  public interface Write {
    void run() throws IOException;
  }

  /** Interrupts the thread that made it, never after it was switched off. */
  private static final class Alarm {
    private final Thread thread = Thread.currentThread();
    private boolean off;
    private boolean rang;

    synchronized void ring() {
      if (!off) {
        rang = true;
        thread.interrupt();
      }
    }

    synchronized void off() {
      off = true;
      if (rang) {
        Thread.interrupted(); // whatever comes next is not what it was for
      }
    }
  }

  private static ScheduledThreadPoolExecutor clock() {
    ScheduledThreadPoolExecutor clock =
        new ScheduledThreadPoolExecutor(
            1, Thread.ofPlatform().daemon().name("write-limit").factory());
    clock.setRemoveOnCancelPolicy(true); // nearly every alarm is cancelled
    return clock;
  }

  /**
   * Writes.
   *
   * @throws IOException as the write does, also in one of its unchecked forms, if it took too long
   */
  public static void within(Duration limit, Write write) throws IOException {
    Alarm alarm = new Alarm();
    var ringing = CLOCK.schedule(alarm::ring, limit.toMillis(), TimeUnit.MILLISECONDS);
    try {
      write.run();
    } finally {
      ringing.cancel(false);
      alarm.off();
    }
  }
}
