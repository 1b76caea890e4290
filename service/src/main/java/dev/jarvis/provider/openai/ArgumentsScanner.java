package dev.jarvis.provider.openai;

/** Follows the pieces of a JSON text, to know whether it is complete; keeps none of it. */
final class ArgumentsScanner {
  private boolean begun;
  private int depth;
  private boolean inString;
  private boolean escaped;

  void add(String piece) {
    for (int i = 0; i < piece.length(); i++) {
      add(piece.charAt(i));
    }
  }

  private void add(char next) {
    begun |= !Character.isWhitespace(next);
    if (escaped) {
      escaped = false;
    } else if (inString) {
      escaped = next == '\\';
      inString = next != '"';
    } else {
      switch (next) {
        case '"' -> inString = true;
        case '{', '[' -> depth++;
        case '}', ']' -> depth--;
        default -> {}
      }
    }
  }

  /** Whether the text has begun but not ended. */
  boolean open() {
    return inString || depth > 0;
  }

  /** Whether the text has begun and ended. */
  boolean complete() {
    return begun && !open();
  }
}
