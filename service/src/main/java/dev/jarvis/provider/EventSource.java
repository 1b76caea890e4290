package dev.jarvis.provider;

import dev.jarvis.gateway.Event;
import java.util.Iterator;
import java.util.List;

/**
 * An answer of a provider, to be read event by event up to {@link Event.End}. Used by one thread.
 * Ends with the {@link dev.jarvis.concurrent.Cancellation} scope in which it was created.
 */
public interface EventSource extends AutoCloseable {
  /**
   * Waits for the next event, within the provider's limits.
   *
   * @throws ProviderException if the model server fails, exceeds a limit or sends an invalid
   *     response
   * @throws dev.jarvis.concurrent.CancelledException if the scope was cancelled
   */
  Event next() throws ProviderException;

  /** Ends the generation at the model server if it is still running; idempotent, never throws. */
  @Override
  void close();

  /** A whole answer that has arrived already. */
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
