package dev.jarvis.document.extract;

import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Joins words that were divided at the end of a line. A hyphen between lower-case letters goes,
 * unless the same text has the word with a hyphen elsewhere and nowhere without one.
 */
final class Hyphenation {
  private static final Pattern LINE_END =
      Pattern.compile("(?<=\\p{Ll})[-\u2010\u00ad][ \t]*+\n[ \t]*+(?=\\p{Ll})");
  private static final Pattern WORD = Pattern.compile("\\p{L}+(?:[-\u2010]\\p{L}+)*");

  /** No longer part of a word is looked up. */
  private static final int MAX_CHARS = 64;

  private Hyphenation() {}

  /** Returns the pages with such words joined; a word that goes on on the next page stays. */
  static List<String> joined(List<String> pages) {
    Set<String> words = new HashSet<>();
    for (String page : pages) {
      Matcher each = WORD.matcher(page);
      while (each.find()) {
        words.add(normal(each.group()));
      }
    }
    return pages.stream().map(page -> joined(page, words)).toList();
  }

  private static String joined(String page, Set<String> words) {
    return LINE_END
        .matcher(page)
        .replaceAll(
            it -> {
              String before = page.substring(start(page, it.start()), it.start());
              String after = page.substring(it.end(), end(page, it.end()));
              boolean compound =
                  words.contains(normal(before + "-" + after))
                      && !words.contains(normal(before + after));
              return compound ? "-" : "";
            });
  }

  private static int start(String text, int end) {
    int start = end;
    while (start > Math.max(0, end - MAX_CHARS) && Character.isLetter(text.charAt(start - 1))) {
      start--;
    }
    return start;
  }

  private static int end(String text, int start) {
    int end = start;
    while (end < Math.min(text.length(), start + MAX_CHARS)
        && Character.isLetter(text.charAt(end))) {
      end++;
    }
    return end;
  }

  private static String normal(String word) {
    return word.replace('\u2010', '-').toLowerCase(Locale.ROOT);
  }
}
