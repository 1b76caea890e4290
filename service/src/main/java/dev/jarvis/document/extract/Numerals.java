package dev.jarvis.document.extract;

import java.util.Locale;

/** Numbers as lists and notes show them. */
final class Numerals {
  private static final int[] VALUES = {1000, 900, 500, 400, 100, 90, 50, 40, 10, 9, 5, 4, 1};
  private static final String[] ROMAN = {
    "m", "cm", "d", "cd", "c", "xc", "l", "xl", "x", "ix", "v", "iv", "i"
  };
  private static final int MAX_ROMAN = 3_999;

  private Numerals() {}

  /**
   * Formats a number.
   *
   * @param format one of Word's ({@code lowerRoman}) or OpenDocument's ({@code i}); decimal if
   *     unknown
   */
  static String of(int number, String format) {
    return switch (format) {
      case "lowerLetter", "a" -> letters(number);
      case "upperLetter", "A" -> letters(number).toUpperCase(Locale.ROOT);
      case "lowerRoman", "i" -> roman(number);
      case "upperRoman", "I" -> roman(number).toUpperCase(Locale.ROOT);
      case "decimalZero" -> "%02d".formatted(number);
      default -> Integer.toString(number);
    };
  }

  /** a to z, then aa to zz, as Word counts. */
  private static String letters(int number) {
    return number < 1
        ? Integer.toString(number)
        : String.valueOf((char) ('a' + (number - 1) % 26))
            .repeat(Math.min(9, 1 + (number - 1) / 26));
  }

  private static String roman(int number) {
    if (number < 1 || number > MAX_ROMAN) {
      return Integer.toString(number);
    }
    StringBuilder text = new StringBuilder();
    int rest = number;
    for (int i = 0; i < VALUES.length; i++) {
      while (rest >= VALUES[i]) {
        text.append(ROMAN[i]);
        rest -= VALUES[i];
      }
    }
    return text.toString();
  }
}
