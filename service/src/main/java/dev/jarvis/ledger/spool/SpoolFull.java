package dev.jarvis.ledger.spool;

/** The spool accepts no new call now; its message says why. */
public final class SpoolFull extends RuntimeException {
  private static final long serialVersionUID = 1;

  SpoolFull(String message) {
    super(message, null, false, false); // expected, and a client's error in the end
  }
}
