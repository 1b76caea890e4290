package dev.jarvis.concurrent;

/** The work was cancelled because its result is not needed any more; not a failure. */
public final class CancelledException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public CancelledException() {
    super("cancelled");
  }
}
