package dev.jarvis.gateway;

import java.time.Duration;

/**
 * An answer on its way through the pipeline: its head, then its events. Used by one thread. Every
 * method may throw an {@link dev.jarvis.error.ApiException} if the call fails, or a {@link
 * dev.jarvis.concurrent.CancelledException} if nobody waits for it any more.
 */
public interface Answer extends AutoCloseable {
  /** Waits until it is decided who answers. */
  Head head();

  /** Waits for the next event; {@link Event.End} is the last one. */
  Event next();

  /**
   * Waits for {@link #next}, and the head before it.
   *
   * @return false if there is nothing within the limit
   */
  default boolean await(Duration limit) {
    return true;
  }

  /** Gives back what the answer holds; one that has not ended by then is cancelled. Idempotent. */
  @Override
  void close();
}
