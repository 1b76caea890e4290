package dev.jarvis.document.words;

import com.ibm.icu.lang.UCharacter;
import com.ibm.icu.lang.UProperty;
import com.ibm.icu.lang.UScript;

/** How the words of a script are told apart. */
enum Script {
  /** By spaces and punctuation. */
  SPACED,
  /** Not at all or, as in Korean, with particles: by pairs of characters. */
  PAIRS,
  /** Not at all, and its letters are too few for pairs: by a dictionary. */
  COMPLEX;

  private static final int KATAKANA_MARK = 'ー'; // of all scripts, by its property

  static Script of(int c) {
    if (c < 0x0E00) { // the first below, Thai
      return SPACED;
    }
    return switch (UScript.getScript(c)) {
      case UScript.HAN,
          UScript.HIRAGANA,
          UScript.KATAKANA,
          UScript.BOPOMOFO,
          UScript.HANGUL,
          UScript.YI ->
          PAIRS;
      default -> c == KATAKANA_MARK ? PAIRS : isComplex(c) ? COMPLEX : SPACED;
    };
  }

  /** Whether a character is of Thai, Lao, Khmer, Burmese or another script of their kind. */
  static boolean isComplex(int c) {
    return UCharacter.getIntPropertyValue(c, UProperty.LINE_BREAK)
        == UCharacter.LineBreak.COMPLEX_CONTEXT;
  }
}
