package dev.jarvis.document.words;

import com.ibm.icu.lang.UCharacter;
import com.ibm.icu.lang.UProperty;
import com.ibm.icu.text.Normalizer2;

/**
 * Makes texts that a reader sees as the same text the same: Unicode's NFKC, without characters that
 * are not shown, and for words also without case (NFKC_Casefold). Accents remain: they distinguish
 * words, and PostgreSQL's stemmers need them.
 */
final class Normalizer {
  private static final Normalizer2 NFKC = Normalizer2.getNFKCInstance();
  private static final Normalizer2 CASEFOLD = Normalizer2.getNFKCCasefoldInstance();
  private static final int ZERO_WIDTH_SPACE = 0x200B;
  private static final String DOT_ABOVE = "\u0307";

  private Normalizer() {}

  /** Returns a text in NFKC; its case is left for {@link #fold}. */
  static String shown(String text) {
    StringBuilder shown = new StringBuilder(text.length() + 16);
    int previous = ' ';
    for (int i = 0; i < text.length(); ) {
      int c = text.codePointAt(i);
      i += Character.charCount(c);
      if (c == '™' || c == '℠') { // NFKC would make them letters of the word
        shown.append(' ');
      } else if (UCharacter.hasBinaryProperty(c, UProperty.DEFAULT_IGNORABLE_CODE_POINT)) {
        // the space between words of languages that show none
        shown.append(c == ZERO_WIDTH_SPACE && Script.isComplex(previous) ? " " : "");
        continue;
      } else {
        // the mark of a footnote is no part of its word, but that of a square metre is
        shown.append(isRaisedDigit(c) && !isRaisedDigit(previous) ? "_" : "");
        shown.appendCodePoint(c);
      }
      previous = c;
    }
    return NFKC.normalize(shown);
  }

  private static boolean isRaisedDigit(int c) {
    int type = UCharacter.getIntPropertyValue(c, UProperty.DECOMPOSITION_TYPE);
    return (type == UCharacter.DecompositionType.SUPER || type == UCharacter.DecompositionType.SUB)
        && Character.getType(c) == Character.OTHER_NUMBER;
  }

  /** Returns a word of such a text without case, with the digits of all scripts as ASCII's. */
  static String fold(CharSequence word) {
    String folded = CASEFOLD.normalize(word).replace("i" + DOT_ABOVE, "i"); // Turkish İ
    StringBuilder digits = new StringBuilder(folded.length());
    folded
        .codePoints()
        .forEach(
            c ->
                digits.appendCodePoint(
                    c > 0x7F && Character.isDigit(c) ? '0' + Character.digit(c, 10) : c));
    return digits.toString();
  }
}
