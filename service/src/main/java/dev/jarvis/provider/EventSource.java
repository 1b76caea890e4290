package dev.jarvis.provider;

import dev.jarvis.gateway.Event;
import java.util.Iterator;
import java.util.List;

/**
 * An answer of a provider: pull its events until the {@link Event.End}. Used by one thread. It
 * works within the {@link dev.jarvis.concurrent.Cancellation} scope that it was asked for in.
 */
public interface EventSource extends AutoCloseable {
  /**
   * Waits for the next event, within the provider's limits.
   *
   * @throws ProviderException if the model server fails, stalls beyond its limit or sends what
   *     cannot be understood
   * @throws dev.jarvis.concurrent.CancelledException if the scope was cancelled
   */
  Event next() throws ProviderException;

  /** Ends the generation at the model server if it still runs; idempotent, never throws. */
  @Override
  void close();

  /** An answer that came whole. */
  static EventSource of(List<Event> events) {
    Iterator<Event> left = events.iterator();
    return new EventSource() {
      @Override
      public Event next() {
        return left.next();
      }

      @Override
      public void close() {}
    };
  }
}
