package dev.jarvis.concurrent;

import io.netty.util.HashedWheelTimer;
import io.netty.util.Timeout;
import java.time.Duration;
import java.util.concurrent.TimeUnit;

/**
 * Runs an action when a wait takes too long, unless it is closed before. Every piece of every
 * stream sets and closes one, so the timer needs no lock for that. An alarm may be up to 100 ms
 * late, and is never early.
 */
public final class Alarm implements AutoCloseable {
  private static final HashedWheelTimer TIMER =
      new HashedWheelTimer(
          Thread.ofPlatform().daemon().name("alarms").factory(),
          100,
          TimeUnit.MILLISECONDS,
          512,
          false);

  private final Timeout due;
  private volatile boolean rang;

  private Alarm(Duration limit, Runnable action) {
    due =
        TIMER.newTimeout(
            timeout -> {
              rang = true;
              action.run();
            },
            limit.toNanos(),
            TimeUnit.NANOSECONDS);
  }

  /**
   * Runs the action after the limit, on the timer's thread: it must not block.
   *
   * @param action for example closes a stream, which wakes its reader
   */
  public static Alarm after(Duration limit, Runnable action) {
    return new Alarm(limit, action);
  }

  /** Whether the limit was exceeded before {@link #close}. */
  public boolean rang() {
    return rang;
  }

  @Override
  public void close() {
    due.cancel();
  }
}
