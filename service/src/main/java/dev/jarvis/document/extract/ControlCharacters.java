package dev.jarvis.document.extract;

import java.util.regex.Pattern;

/** Control characters in text: what terminals and printers use is allowed, and is not text. */
final class ControlCharacters {
  /** Colours and movements of terminals (ECMA-48), and titles of their windows. */
  private static final Pattern ESCAPES =
      Pattern.compile(
          "\u001b(?:\\[[0-?]*+[ -/]*+[@-~]|\\][^\u0007\u001b]{0,200}(?:\u0007|\u001b\\\\)?)");

  /** Text may have one in so many characters that is neither white space nor of a terminal. */
  private static final int CHARS_PER_CONTROL = 50;

  private ControlCharacters() {}

  static boolean areFew(String text) {
    long controls = text.chars().filter(ControlCharacters::isBinary).count();
    return text.indexOf('\0') < 0 && controls * CHARS_PER_CONTROL <= text.length();
  }

  /** Bell, backspace, vertical tab, end of file of DOS, and escape are of text. */
  private static boolean isBinary(int c) {
    return c < ' ' && "\t\n\r\f\u0007\b\u000b\u001a\u001b".indexOf(c) < 0;
  }

  static String withoutEscapes(String text) {
    return text.indexOf('\u001b') < 0 ? text : ESCAPES.matcher(text).replaceAll("");
  }
}
