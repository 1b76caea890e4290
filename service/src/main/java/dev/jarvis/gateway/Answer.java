package dev.jarvis.gateway;

import java.time.Duration;

/**
 * An answer on its way through the pipeline: its head, then its events. Used by one thread. Every
 * method may throw an {@link dev.jarvis.error.ApiException} if the call fails, or a {@link
 * dev.jarvis.concurrent.CancelledException} if the call was cancelled.
 */
public interface Answer extends AutoCloseable {
  /** Waits until a target has begun to answer. */
  Head head();

  /** Waits for the next event; {@link Event.End} is the last one. */
  Event next();

  /**
   * Waits until {@link #head} and {@link #next} return at once.
   *
   * @return false if they do not within the limit
   */
  default boolean await(Duration limit) {
    return true;
  }

  /** Releases what the answer holds, and cancels it if it has not ended. Idempotent. */
  @Override
  void close();
}
