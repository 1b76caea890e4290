package dev.jarvis.document.extract;

import java.util.HashSet;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Joins words that were divided at the end of a line. A hyphen between small letters divides a
 * word, unless the same word has it within a line, too, on this page or one before: as in
 * "long-term". Others are kept, as in "Jean-Pierre" and "2024-2025".
 */
final class Hyphens {
  private static final Pattern COMPOUND = Pattern.compile("(?<!\\p{L})\\p{L}++[-\u2010]\\p{L}++");
  private static final Pattern AT_END =
      Pattern.compile(
          "(?<!\\p{L})(\\p{L}++)(?:(\u00ad)|[-\u2010])[ \t]*+\r?\n[ \t]*+(\\p{Ll}\\p{L}*+)");

  /** More than a book has; a set for ever longer documents must end. */
  private static final int MAX_COMPOUNDS = 50_000;

  private final Set<String> compounds = new HashSet<>();

  /** Joins the words of the next page. */
  String join(String text) {
    COMPOUND
        .matcher(text)
        .results()
        .takeWhile(it -> compounds.size() < MAX_COMPOUNDS)
        .forEach(it -> compounds.add(key(it.group())));
    Matcher divided = AT_END.matcher(text);
    StringBuilder joined = new StringBuilder();
    while (divided.find()) {
      String first = divided.group(1);
      String second = divided.group(3);
      boolean small = Character.isLowerCase(first.codePointBefore(first.length()));
      String word = first + second;
      if (divided.group(2) == null) {
        word = compounds.contains(key(first + "-" + second)) ? first + "-" + second : word;
        word = small ? word : divided.group();
      }
      divided.appendReplacement(joined, Matcher.quoteReplacement(word));
    }
    return divided.appendTail(joined).toString();
  }

  private static String key(String word) {
    return word.replace('\u2010', '-').toLowerCase(Locale.ROOT);
  }
}
