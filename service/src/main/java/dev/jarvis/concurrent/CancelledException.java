package dev.jarvis.concurrent;

/** The work was cancelled, because nobody waits for its result any more: no failure of anything. */
public final class CancelledException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public CancelledException() {
    super("cancelled");
  }
}
