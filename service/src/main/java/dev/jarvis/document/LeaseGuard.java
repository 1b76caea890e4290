package dev.jarvis.document;

/**
 * Interrupts a worker that loses the lease of its document, but only while it works on that
 * document. Created by the worker's thread.
 */
final class LeaseGuard {
  private final Thread worker = Thread.currentThread();
  private Stage stage;
  private boolean ended;
  private boolean lost;

  LeaseGuard(Stage stage) {
    this.stage = stage;
  }

  synchronized void enter(Stage next) {
    stage = next;
  }

  /** Returns the stage that the worker entered last. */
  synchronized Stage stage() {
    return stage;
  }

  /** Records that the lease is lost and interrupts the worker, unless its work has ended. */
  synchronized void lose() {
    if (!ended) {
      lost = true;
      worker.interrupt();
    }
  }

  /** Ends the work and clears the thread's interrupt; called by the worker. */
  synchronized void end() {
    ended = true;
    Thread.interrupted();
  }

  synchronized boolean lost() {
    return lost;
  }
}
