package dev.jarvis.http;

import io.netty.util.HashedWheelTimer;
import io.netty.util.Timeout;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.TimeUnit;

/**
 * A limit for the time that a client takes to accept what is written: the server has none of its
 * own, so the writing thread is interrupted, which closes its socket.
 */
public final class WriteLimit {
  /**
   * Each piece of each stream sets an alarm and cancels it: this timer takes no lock for either.
   */
  private static final HashedWheelTimer TIMER =
      new HashedWheelTimer(
          Thread.ofPlatform().daemon().name("write-limit").factory(),
          100,
          TimeUnit.MILLISECONDS,
          512,
          false);

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

  /**
   * Writes.
   *
   * @throws IOException as the write does, also in one of its unchecked forms, if it took too long
   */
  public static void within(Duration limit, Write write) throws IOException {
    Alarm alarm = new Alarm();
    Timeout ringing =
        TIMER.newTimeout(timeout -> alarm.ring(), limit.toMillis(), TimeUnit.MILLISECONDS);
    try {
      write.run();
    } finally {
      ringing.cancel();
      alarm.off();
    }
  }
}
