package dev.jarvis.provider.local;

import dev.jarvis.concurrent.Cancellation;
import dev.jarvis.concurrent.CancelledException;
import dev.jarvis.gateway.Event;
import dev.jarvis.provider.EventSource;
import dev.jarvis.provider.ProviderException;
import java.time.Duration;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * Passes an answer from the model's thread to its reader. The queue between them is bounded only by
 * the length of an answer, so that a slow reader does not delay the model.
 */
final class LocalStream implements EventSource {
  private enum State {
    WAITING,
    RUNNING,
    CLOSED
  }

  private record Item(@Nullable Event event, @Nullable ProviderException failure) {}

  private final Duration firstToken;
  private final Duration betweenTokens;
  private final Cancellation scope = Cancellation.current();
  private final Cancellation.Registration onCancel;
  private final BlockingQueue<Item> items = new LinkedBlockingQueue<>();
  private final CountDownLatch begun = new CountDownLatch(1);
  private final AtomicReference<State> state = new AtomicReference<>(State.WAITING);
  private boolean speaking;

  /**
   * @param firstToken the limit for the first output of the model
   * @param betweenTokens the limit for each output after it
   */
  LocalStream(Duration firstToken, Duration betweenTokens) {
    this.firstToken = firstToken;
    this.betweenTokens = betweenTokens;
    onCancel = scope.onCancel(this::end);
  }

  // The model's thread

  /** Starts the answer; false if the reader has left. */
  boolean begin() {
    boolean wanted = state.compareAndSet(State.WAITING, State.RUNNING);
    begun.countDown();
    return wanted;
  }

  boolean closed() {
    return state.get() == State.CLOSED;
  }

  void put(Event event) {
    items.add(new Item(event, null));
  }

  void fail(ProviderException failure) {
    items.add(new Item(null, failure));
  }

  // The reader

  /**
   * Waits until the model starts the answer; closes the stream if it does not.
   *
   * @return false if the limit is exceeded
   */
  boolean awaitStart(Duration limit) {
    boolean started = false;
    try {
      started = begun.await(limit.toNanos(), TimeUnit.NANOSECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      close();
      throw new CancelledException();
    }
    if (scope.cancelled()) {
      close();
      throw new CancelledException();
    }
    // the model may have started just now: the state decides
    return started || !state.compareAndSet(State.WAITING, State.CLOSED);
  }

  @Override
  public Event next() throws ProviderException {
    Duration limit = speaking ? betweenTokens : firstToken;
    Item item;
    try {
      item = items.poll(limit.toNanos(), TimeUnit.NANOSECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      close();
      throw new CancelledException();
    }
    if (item == null) {
      close();
      throw new ProviderException.TimedOut(
          "The model generated nothing for " + limit.toMillis() + " ms.", null);
    }
    if (item.failure() != null) {
      if (scope.cancelled()) {
        throw new CancelledException();
      }
      throw item.failure();
    }
    if (item.event() == null) {
      throw new IllegalStateException("an item is an event or a failure");
    }
    speaking |= item.event().says();
    return item.event();
  }

  @Override
  public void close() {
    onCancel.close();
    end();
  }

  private void end() {
    if (state.getAndSet(State.CLOSED) != State.CLOSED) {
      begun.countDown();
      fail(new ProviderException.Unavailable("The answer was cancelled.", null));
    }
  }
}
