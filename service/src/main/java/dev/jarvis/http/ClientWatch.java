package dev.jarvis.http;

/**
 * Interrupts the thread of a request whose client hangs up, so that whatever it waits for ends:
 * from {@link ClientConnection#watch} to {@link #close}, never later. Only the request's own thread
 * closes it.
 */
public final class ClientWatch implements AutoCloseable {
  private final Thread thread = Thread.currentThread();
  private boolean gone;
  private boolean over;

  synchronized void clientIsGone() {
    if (!over) {
      gone = true;
      thread.interrupt();
    }
  }

  /** Whether the client hung up while this watched. */
  public synchronized boolean gone() {
    return gone;
  }

  /** Ends the watch and takes the interrupt back if there was one; idempotent. */
  @Override
  public synchronized void close() {
    if (!over && gone) {
      Thread.interrupted();
    }
    over = true;
  }
}
