package dev.jarvis.document.extract;

import java.lang.Character.UnicodeBlock;
import java.lang.Character.UnicodeScript;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CharsetEncoder;
import java.util.Set;

/**
 * Counts what no language writes in a text that was decoded with an encoding: a capital within a
 * word, letters of two scripts or of no common alphabet, a sign amid letters.
 */
final class Spelling {
  /** Characters that texts of all languages use. */
  private static final String SIGNS =
      "\u00a0\u00ad«»“”„‘’‚‹›–—…•·§°ºª€£¥©®™±×÷¼½¾²³¹µ†‡¡¿№‰´‒―−־،؛؟\u200e\u200f";

  private static final String WITHIN_WORDS = "\u00a0’\u00ad·‑–—×־\u200e\u200f";
  private static final String NOT_BEFORE_WORDS = "’”´…°·×";
  private static final String CONTROLS = "\t\n\r\f\b\u001b\u0007";

  private static final Set<UnicodeBlock> IDEOGRAPHS =
      Set.of(UnicodeBlock.CJK_UNIFIED_IDEOGRAPHS, UnicodeBlock.HANGUL_SYLLABLES);

  private static final Set<UnicodeBlock> FREQUENT =
      Set.of(
          UnicodeBlock.CJK_SYMBOLS_AND_PUNCTUATION,
          UnicodeBlock.HIRAGANA,
          UnicodeBlock.KATAKANA,
          UnicodeBlock.HANGUL_COMPATIBILITY_JAMO);

  private static final double BROKEN = 3;
  private static final double WRONG = 1;
  private static final double ODD = 0.3;
  private static final double OTHER_LANGUAGE = 0.2;

  /** So many letters hold the language's most frequent ones. */
  private static final int MANY = 6;

  private final Writing writing;
  private final double[] outside;
  private final boolean[] usual;
  private double wrong;
  private int lowerCase;
  private int upperCase;
  private int letters;
  private int others;

  /** Even a line of so many letters has a capital, in scripts that have them. */
  private static final int LONG = 20;

  /** Letters only at the end of a word. */
  private static final String FINAL = "ךםןףץςةى";

  private Spelling(Writing writing) {
    this.writing = writing;
    this.outside = new double[writing.alphabets().size()];
    this.usual = new boolean[outside.length];
    this.wrong = writing.rare() ? ODD : 0;
  }

  /**
   * What is wrong in a text.
   *
   * @param wrong in total
   * @param part of the characters beyond ASCII
   */
  record Errors(double wrong, double part) {}

  static Errors check(String text, Writing writing) {
    Spelling spelling = new Spelling(writing);
    CharsetEncoder encoder = writing.charset().newEncoder();
    int before = ' ';
    for (int i = 0; i < text.length(); i++) {
      int c = text.charAt(i);
      int after = i + 1 < text.length() ? text.charAt(i + 1) : ' ';
      if (c < 0x80) {
        spelling.wrong += c < ' ' && CONTROLS.indexOf(c) < 0 ? BROKEN : 0;
      } else {
        spelling.others++;
        if (c == 0xfffd
            || Character.isISOControl(c)
            || !Character.isDefined(c)
            || Character.getType(c) == Character.PRIVATE_USE) {
          spelling.wrong += BROKEN;
        } else if (writing.hasIdeographs()) {
          spelling.ideograph(before, (char) c, after, encoder);
        } else if (isLetter(c)) {
          spelling.letter(before, c, after);
        } else {
          spelling.sign(before, c, after);
        }
      }
      before = c;
    }
    return spelling.errors();
  }

  private Errors errors() {
    double language = outside.length == 0 ? 0 : Double.MAX_VALUE;
    for (int i = 0; i < outside.length; i++) {
      double missing = letters >= MANY && !usual[i] ? OTHER_LANGUAGE * letters / 2 : 0;
      language = Math.min(language, outside[i] + missing);
    }
    boolean capitals = upperCase >= LONG && lowerCase * 10 < upperCase;
    if (capitals || (lowerCase >= 4 * LONG && upperCase == 0)) {
      wrong += ODD + letters / 100.0; // only scripts without case look like this
    }
    return new Errors(wrong + language, others == 0 ? 0 : (wrong + language) / others);
  }

  private void letter(int before, int c, int after) {
    letters++;
    int lower = Character.toLowerCase(c);
    boolean known = false;
    for (String alphabet : writing.alphabets()) {
      known |= alphabet.indexOf(lower) >= 0 || alphabet.indexOf(c) >= 0;
    }
    wrong += known ? 0 : WRONG;
    for (int i = 0; i < outside.length; i++) {
      String alphabet = writing.alphabets().get(i);
      int at = Math.max(alphabet.indexOf(lower), alphabet.indexOf(c));
      outside[i] += known && at < 0 ? OTHER_LANGUAGE : 0;
      usual[i] |= at >= 0 && at < writing.usual();
    }
    if (isLetter(before)) {
      neighbours(before, c);
    }
    if (after < 0x80 && isLetter(after)) {
      neighbours(c, after);
    }
    lowerCase += Character.isLowerCase(c) ? 1 : 0;
    upperCase += Character.isUpperCase(c) ? 1 : 0;
    boolean last = !isLetter(after);
    boolean sigma = c == 'σ' && last && isLetter(before);
    wrong += sigma || (!last && FINAL.indexOf(c) >= 0) ? WRONG : 0;
    if (isMark(c)) {
      wrong +=
          isThai(c)
              ? (isThaiConsonant(before) || isMark(before) ? 0 : WRONG)
              : isLetter(before) ? 0 : WRONG;
    } else if (before >= 0xe40 && before <= 0xe44) { // vowels that are written before a consonant
      wrong += isThaiConsonant(c) ? 0 : WRONG;
    }
  }

  private void neighbours(int first, int second) {
    wrong += isOneScript(first, second) ? 0 : WRONG;
    wrong += Character.isLowerCase(first) && Character.isUpperCase(second) ? WRONG : 0;
  }

  private void sign(int before, int c, int after) {
    if (SIGNS.indexOf(c) < 0) {
      wrong += WRONG;
    } else if (isLetter(after)) {
      if (isLetter(before)) {
        wrong += WITHIN_WORDS.indexOf(c) < 0 ? WRONG : 0;
      } else {
        wrong += NOT_BEFORE_WORDS.indexOf(c) >= 0 ? ODD : 0;
      }
    }
  }

  private void ideograph(int before, char c, int after, CharsetEncoder encoder) {
    UnicodeBlock block = UnicodeBlock.of(c);
    boolean word = IDEOGRAPHS.contains(block);
    boolean halfwidth = block.equals(UnicodeBlock.HALFWIDTH_AND_FULLWIDTH_FORMS);
    if (!isFrequent(c, block, encoder)) {
      wrong += !Character.isLetter(c) ? ODD / 3 : word || halfwidth ? ODD : WRONG;
    }
    if (word && isAsciiLower(before) && isAsciiLower(after)) {
      wrong += WRONG;
    } else if (word && (isAsciiLower(before) || isAsciiLower(after))) {
      wrong += ODD / 3;
    }
  }

  /** The standards put the frequent characters together. */
  private boolean isFrequent(char c, UnicodeBlock block, CharsetEncoder encoder) {
    if (FREQUENT.contains(block) || (c > 0xff00 && c < 0xff61) || SIGNS.indexOf(c) >= 0) {
      return true;
    }
    try {
      ByteBuffer bytes = encoder.encode(CharBuffer.wrap(new char[] {c}));
      int first = bytes.get(0) & 0xff;
      return bytes.limit() == 2 && first >= writing.first() && first <= writing.last();
    } catch (CharacterCodingException e) {
      return false;
    }
  }

  private static boolean isAsciiLower(int c) {
    return c >= 'a' && c <= 'z';
  }

  private static boolean isThai(int c) {
    return c >= 0xe00 && c < 0xe80;
  }

  private static boolean isThaiConsonant(int c) {
    return c >= 0xe01 && c <= 0xe2e;
  }

  private static boolean isMark(int c) {
    return Character.getType(c) == Character.NON_SPACING_MARK;
  }

  private static boolean isLetter(int c) {
    return Character.isLetter(c) || isMark(c);
  }

  private static boolean isOneScript(int a, int b) {
    UnicodeScript first = UnicodeScript.of(a);
    UnicodeScript second = UnicodeScript.of(b);
    return first == second || first == UnicodeScript.INHERITED || second == UnicodeScript.INHERITED;
  }
}
