package dev.jarvis.document.words;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Divides a normalised text into words, parts of words, and parts joined with their neighbours. */
final class WordReader {
  /** What joins the parts of identifiers, addresses, paths and hyphenated words. */
  private static final String JOINERS = "-‐‑_./\\:@#+&~=%⁄";

  /** As in {@code https://}. */
  private static final int MAX_JOINERS = 3;

  /** More parts are no word of a person, but a key or a hash. */
  private static final int MAX_PARTS = 4;

  private final Words words;

  /** The last word, if only joiners have followed it; null otherwise. */
  private @Nullable String previous;

  private int joiners;

  WordReader(Words words) {
    this.words = words;
  }

  void read(String text) {
    int i = 0;
    while (i < text.length()) {
      int c = text.codePointAt(i);
      if (isWord(c)) {
        int end = end(text, i);
        word(text.substring(i, end));
        i = end;
      } else {
        int end = i + Character.charCount(c);
        i = separator(text, i, end, c);
      }
    }
  }

  private static int end(String text, int start) {
    int end = start;
    while (end < text.length() && isWord(text.codePointAt(end))) {
      end += Character.charCount(text.codePointAt(end));
    }
    return end;
  }

  private static boolean isWord(int c) {
    return switch (Character.getType(c)) {
      case Character.UPPERCASE_LETTER,
          Character.LOWERCASE_LETTER,
          Character.TITLECASE_LETTER,
          Character.MODIFIER_LETTER,
          Character.OTHER_LETTER,
          Character.NON_SPACING_MARK,
          Character.COMBINING_SPACING_MARK,
          Character.ENCLOSING_MARK,
          Character.DECIMAL_DIGIT_NUMBER,
          Character.LETTER_NUMBER,
          Character.OTHER_NUMBER ->
          true;
      default -> false;
    };
  }

  /** Returns where to read on. */
  private int separator(String text, int start, int end, int c) {
    joiners++;
    boolean decimal = c == ',' && isDigit(text, start - 1) && isDigit(text, end);
    if ((JOINERS.indexOf(c) < 0 && !decimal) || joiners > MAX_JOINERS) {
      previous = null;
    }
    return c == '-' || c == '‐' ? afterLineEnd(text, end) : end;
  }

  /** A word may be divided at the end of a line, which the hyphen before it shows. */
  private static int afterLineEnd(String text, int start) {
    int end = start;
    while (end < text.length() && " \t\r\n".indexOf(text.charAt(end)) >= 0) {
      end++;
    }
    boolean divided =
        end < text.length()
            && Character.isLowerCase(text.codePointAt(end))
            && text.substring(start, end).indexOf('\n') >= 0;
    return divided ? end : start;
  }

  private static boolean isDigit(String text, int index) {
    return index >= 0 && index < text.length() && Character.isDigit(text.charAt(index));
  }

  /** A run of letters, marks and digits, perhaps of several scripts. */
  private void word(String run) {
    int start = 0;
    Script script = Script.of(run.codePointAt(0));
    for (int i = 0; i < run.length(); ) {
      int c = run.codePointAt(i);
      Script next = isMark(c) ? script : Script.of(c);
      if (next != script) {
        word(script, run.substring(start, i));
        start = i;
        script = next;
      }
      i += Character.charCount(c);
    }
    word(script, run.substring(start));
  }

  private static boolean isMark(int c) {
    int type = Character.getType(c);
    return type == Character.NON_SPACING_MARK
        || type == Character.COMBINING_SPACING_MARK
        || type == Character.ENCLOSING_MARK;
  }

  private void word(Script script, String word) {
    if (script != Script.SPACED) {
      words.add(script, word);
      previous = null;
      return;
    }
    words.add(word);
    List<String> parts = parts(word);
    if (parts.size() > 1 && parts.size() <= MAX_PARTS) {
      parts.forEach(words::add);
    }
    if (previous != null && joiners > 0) {
      // of numbers the separator counts, whatever it is: 1.5 is not 15
      boolean numbers = isDigit(previous, previous.length() - 1) && isDigit(word, 0);
      words.add(numbers ? previous + "." + word : previous + word);
    }
    previous = word;
    joiners = 0;
  }

  /** Divides {@code parseHTML5Text} before capitals and around digits. */
  private static List<String> parts(String word) {
    List<String> parts = new ArrayList<>();
    int start = 0;
    for (int i = 1; i < word.length(); i++) {
      char before = word.charAt(i - 1);
      char c = word.charAt(i);
      boolean capital =
          Character.isUpperCase(c)
              && (Character.isLowerCase(before)
                  || (Character.isUpperCase(before)
                      && i + 1 < word.length()
                      && Character.isLowerCase(word.charAt(i + 1))));
      boolean number = Character.isDigit(before) != Character.isDigit(c) && !isMark(c);
      if (capital || number) {
        parts.add(word.substring(start, i));
        start = i;
      }
    }
    parts.add(word.substring(start));
    return parts;
  }
}
