package dev.jarvis.model;

import java.time.Duration;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * An answer on its way from the model's thread to its reader. The queue between them is bounded by
 * the length of an answer, so a slow reader does not hold the model up.
 */
final class LocalStream implements ChatStream {
  private enum State {
    WAITING,
    RUNNING,
    CLOSED
  }

  private record Event(@Nullable Chunk chunk, @Nullable ModelException failure) {}

  private final Duration betweenTokens;
  private final BlockingQueue<Event> events = new LinkedBlockingQueue<>();
  private final CountDownLatch begun = new CountDownLatch(1);
  private final AtomicReference<State> state = new AtomicReference<>(State.WAITING);
  private volatile Usage usage = new Usage(0, 0);
  private @Nullable Chunk first;

  LocalStream(Duration betweenTokens) {
    this.betweenTokens = betweenTokens;
  }

  // The model's thread

  /** Takes the turn; false if the reader has gone. */
  boolean begin() {
    boolean wanted = state.compareAndSet(State.WAITING, State.RUNNING);
    begun.countDown();
    return wanted;
  }

  boolean closed() {
    return state.get() == State.CLOSED;
  }

  void used(int inputTokens, int outputTokens) {
    usage = new Usage(inputTokens, outputTokens);
  }

  void put(Chunk chunk) {
    events.add(new Event(chunk, null));
  }

  void fail(ModelException failure) {
    events.add(new Event(null, failure));
  }

  // The reader

  /**
   * Waits for the turn; false, and closed, if it does not come in time.
   *
   * @throws InterruptedException closed then, too
   */
  boolean awaitTurn(Duration limit) throws InterruptedException {
    try {
      if (begun.await(limit.toNanos(), TimeUnit.NANOSECONDS)) {
        return true;
      }
    } catch (InterruptedException e) {
      close();
      throw e;
    }
    // The turn may come in this very moment: the state decides.
    return !state.compareAndSet(State.WAITING, State.CLOSED);
  }

  void awaitFirst(Duration limit) throws ModelException {
    first = take(limit);
  }

  @Override
  public Chunk next() throws ModelException {
    Chunk chunk = first;
    if (chunk != null) {
      first = null;
      return chunk;
    }
    return take(betweenTokens);
  }

  @Override
  public Usage usage() {
    return usage;
  }

  @Override
  public void close() {
    if (state.getAndSet(State.CLOSED) != State.CLOSED) {
      fail(new ModelException.Unavailable("The answer was cancelled.", null));
    }
  }

  private Chunk take(Duration limit) throws ModelException {
    Event event;
    try {
      event = events.poll(limit.toNanos(), TimeUnit.NANOSECONDS);
    } catch (InterruptedException e) {
      close();
      Thread.currentThread().interrupt();
      throw new ModelException.Unavailable("The request was interrupted.", e);
    }
    if (event == null) {
      close();
      throw new ModelException.TimedOut(
          "The model said nothing for " + limit.toMillis() + " ms.", null);
    }
    if (event.failure() != null) {
      throw event.failure();
    }
    if (event.chunk() == null) {
      throw new IllegalStateException("an event is a chunk or a failure");
    }
    return event.chunk();
  }
}
