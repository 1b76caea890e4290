package dev.jarvis.document.words;

import com.ibm.icu.text.BreakIterator;
import com.ibm.icu.util.ULocale;
import java.util.ArrayList;
import java.util.List;

/**
 * The words of a text, separated by spaces, for PostgreSQL to stem: each is found in whatever form
 * of Unicode, case or spelling of an identifier it is written. Passages and questions go the same
 * way. The number of words is bounded, and so is each word.
 *
 * <ul>
 *   <li>{@code App.java}, {@code user_id}, {@code e-mail}: the parts, and each part joined with the
 *       next ({@code appjava}), which tells an identifier from its parts and finds {@code email}
 *   <li>{@code parseHTML}, {@code 8kg}: the word and its parts
 *   <li>Chinese, Japanese and Korean: each pair of neighbouring characters. A dictionary divides
 *       the same characters differently in a sentence and in a question; pairs are the same
 *       everywhere
 *   <li>Thai, Lao, Khmer and Burmese: words of ICU's dictionaries
 * </ul>
 */
public final class Words {
  /** Far below what PostgreSQL accepts: 2 KiB. */
  private static final int MAX_WORD_CHARS = 255;

  /**
   * However they are divided, words of this many characters and their positions stay below the 1
   * MiB of a tsvector.
   */
  private static final int MAX_CHARS = 200_000;

  /** A question for characters, each of which may begin many words. */
  private static final int MAX_PREFIXES = 8;

  private final StringBuilder words = new StringBuilder();
  private final List<String> prefixes = new ArrayList<>();
  private final boolean question;

  /**
   * The words of a question.
   *
   * @param words separated by spaces
   * @param prefixes beginnings of words that match too, of which there are few
   */
  public record Question(String words, List<String> prefixes) {}

  private Words(boolean question) {
    this.question = question;
  }

  public static String ofPassage(String text) {
    Words words = new Words(false);
    new WordReader(words).read(Normalizer.shown(text));
    return words.words.toString();
  }

  public static Question ofQuestion(String text) {
    Words words = new Words(true);
    new WordReader(words).read(Normalizer.shown(text));
    return new Question(words.words.toString(), List.copyOf(words.prefixes));
  }

  /** Adds a word of a script with spaces. */
  void add(CharSequence word) {
    String folded = beginning(Normalizer.fold(beginning(word)));
    if (!folded.isBlank() && words.length() + folded.length() < MAX_CHARS) {
      words.append(folded).append(' ');
    }
  }

  /** What may be a word; it does not end with half of a character. */
  private static String beginning(CharSequence word) {
    if (word.length() <= MAX_WORD_CHARS) {
      return word.toString();
    }
    boolean half = Character.isHighSurrogate(word.charAt(MAX_WORD_CHARS - 1));
    return word.subSequence(0, half ? MAX_WORD_CHARS - 1 : MAX_WORD_CHARS).toString();
  }

  /** Adds characters of a script without spaces. */
  void add(Script script, String run) {
    if (script == Script.COMPLEX) {
      addByDictionary(run);
    } else {
      addPairs(run);
    }
  }

  private void addByDictionary(String run) {
    BreakIterator boundaries = BreakIterator.getWordInstance(ULocale.ROOT);
    // the dictionaries have these vowels as one character, which NFKC divides
    String text = run.replace("\u0E4D\u0E32", "\u0E33").replace("\u0ECD\u0EB2", "\u0EB3");
    boundaries.setText(text);
    int start = boundaries.first();
    for (int end = boundaries.next(); end != BreakIterator.DONE; end = boundaries.next()) {
      add(text.substring(start, end));
      start = end;
    }
  }

  /** The last character is added alone, so that a question of one character finds it anywhere. */
  private void addPairs(String run) {
    int[] characters = run.codePoints().toArray();
    for (int i = 0; i + 1 < characters.length; i++) {
      add(new String(characters, i, 2));
    }
    String last = new String(characters, characters.length - 1, 1);
    if (!question) {
      add(last);
    } else if (characters.length == 1 && prefixes.size() < MAX_PREFIXES) {
      prefixes.add(Normalizer.fold(last));
    }
  }
}
