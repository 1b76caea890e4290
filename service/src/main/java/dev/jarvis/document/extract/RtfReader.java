package dev.jarvis.document.extract;

import java.io.IOException;
import java.io.InputStream;
import java.io.PushbackInputStream;

/** Divides an RTF file into braces, control words and bytes of text. */
final class RtfReader {
  /** What {@link #next} read. */
  enum Token {
    OPEN,
    CLOSE,
    /** A control word or symbol; see {@link #word} and {@link #parameter}. */
    WORD,
    /** A byte of text; see {@link #parameter}. */
    BYTE,
    END
  }

  private static final int MAX_WORD_CHARS = 32;

  private final PushbackInputStream in;
  private String word = "";
  private int parameter;
  private boolean parameterGiven;

  RtfReader(InputStream in) {
    this.in = new PushbackInputStream(in);
  }

  /** The name of a control word, or the sign of a control symbol. */
  String word() {
    return word;
  }

  /** The number after a control word; 1 if there is none, so that {@code \v} means on. */
  int parameter() {
    return parameter;
  }

  boolean hasParameter() {
    return parameterGiven;
  }

  Token next() throws IOException {
    while (true) {
      int b = in.read();
      switch (b) {
        case -1 -> {
          return Token.END;
        }
        case '{' -> {
          return Token.OPEN;
        }
        case '}' -> {
          return Token.CLOSE;
        }
        case '\r', '\n', 0 -> {}
        case '\\' -> {
          return control();
        }
        default -> {
          parameter = b;
          return Token.BYTE;
        }
      }
    }
  }

  private Token control() throws IOException {
    int b = in.read();
    parameterGiven = false;
    parameter = 1;
    if (b == '\'') {
      parameter = Math.max(0, hex(in.read())) * 16 + Math.max(0, hex(in.read()));
      return Token.BYTE;
    }
    if (b == '\\' || b == '{' || b == '}') {
      parameter = b;
      return Token.BYTE;
    }
    if (!isLetter(b)) {
      word = b == '\r' || b == '\n' ? "par" : b < 0 ? "" : String.valueOf((char) b);
      return Token.WORD;
    }
    StringBuilder name = new StringBuilder();
    for (; isLetter(b) && name.length() < MAX_WORD_CHARS; b = in.read()) {
      name.append((char) b);
    }
    word = name.toString();
    number(b);
    if (word.equals("bin") && parameterGiven) {
      in.skipNBytes(Math.max(0, parameter));
    }
    return Token.WORD;
  }

  private void number(int first) throws IOException {
    int b = first;
    boolean negative = b == '-';
    if (negative) {
      b = in.read();
    }
    long number = 0;
    for (; b >= '0' && b <= '9'; b = in.read()) {
      parameterGiven = true;
      number = Math.min(Integer.MAX_VALUE, number * 10 + b - '0');
    }
    if (parameterGiven) {
      parameter = (int) (negative ? -number : number);
    }
    if (b >= 0 && b != ' ') { // a blank belongs to the control word
      in.unread(b);
    }
  }

  private static int hex(int b) {
    return b < 0 ? -1 : Character.digit((char) b, 16);
  }

  private static boolean isLetter(int b) {
    return (b >= 'a' && b <= 'z') || (b >= 'A' && b <= 'Z');
  }
}
