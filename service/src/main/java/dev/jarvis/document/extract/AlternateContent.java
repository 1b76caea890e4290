package dev.jarvis.document.extract;

import java.util.ArrayDeque;
import java.util.Deque;

/**
 * Chooses one of the forms in which an office file has the same content for old and new readers.
 */
final class AlternateContent {
  /** For each that is open, whether a form was chosen. */
  private final Deque<Boolean> chosen = new ArrayDeque<>();

  /** Returns whether to read the element. */
  boolean start(String name) {
    if (name.equals("mc:AlternateContent")) {
      chosen.push(false);
      return true;
    }
    boolean first = chosen.isEmpty() || !chosen.pop();
    chosen.push(true);
    return first;
  }

  void end() {
    chosen.pop();
  }
}
