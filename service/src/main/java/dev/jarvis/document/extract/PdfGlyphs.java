package dev.jarvis.document.extract;

import java.text.Bidi;
import java.util.ArrayList;
import java.util.List;
import org.apache.pdfbox.text.TextPosition;

/** Prepares the glyphs of a PDF's page for PDFBox, which makes words and lines of them. */
final class PdfGlyphs {
  /** A part of a letter's width; letters further apart are of two words. */
  private static final float GAP = 0.3f;

  private PdfGlyphs() {}

  /** Returns a glyph in the coordinates of its own direction rather than those of the page. */
  static TextPosition turned(TextPosition glyph) {
    return copy(glyph, glyph.getUnicode());
  }

  /** Whether a viewer shows any of a turned glyph: whether it reaches into the page's crop box. */
  static boolean isOnPage(TextPosition glyph) {
    boolean sideways = glyph.getRotation() % 180 != 0;
    float width = sideways ? glyph.getPageHeight() : glyph.getPageWidth();
    float height = sideways ? glyph.getPageWidth() : glyph.getPageHeight();
    boolean visible =
        glyph.getX() + glyph.getWidth() > 0
            && glyph.getX() < width
            && glyph.getY() > 0
            && glyph.getY() - glyph.getHeight() < height;
    return visible || width <= 0 || height <= 0; // a box without area is an error
  }

  /**
   * Returns glyphs with a blank where the line continues further left, at which PDFBox sees no end
   * of a word, and divided where one stands for text of both directions, which PDFBox reverses.
   */
  static List<TextPosition> separated(List<TextPosition> glyphs) {
    List<TextPosition> separated = new ArrayList<>(glyphs.size());
    for (TextPosition glyph : glyphs) {
      if (!separated.isEmpty() && isFurtherLeft(separated.getLast(), glyph)) {
        separated.add(copy(separated.getLast(), " "));
      }
      addRuns(glyph, separated);
    }
    return separated;
  }

  private static boolean isFurtherLeft(TextPosition last, TextPosition next) {
    float distance = Math.abs(last.getY() - next.getY());
    float gap = last.getX() - next.getX() - next.getWidth();
    return distance < Math.max(last.getHeight(), next.getHeight())
        && gap > GAP * next.getWidth()
        && !last.getUnicode().isBlank()
        && !next.getUnicode().isBlank();
  }

  private static void addRuns(TextPosition glyph, List<TextPosition> runs) {
    String text = glyph.getUnicode();
    if (text.length() > 1 && Bidi.requiresBidi(text.toCharArray(), 0, text.length())) {
      Bidi bidi = new Bidi(text, Bidi.DIRECTION_LEFT_TO_RIGHT);
      for (int i = 0; i < bidi.getRunCount(); i++) {
        runs.add(copy(glyph, text.substring(bidi.getRunStart(i), bidi.getRunLimit(i))));
      }
    } else {
      runs.add(glyph);
    }
  }

  private static TextPosition copy(TextPosition glyph, String text) {
    return new TextPosition(
        (int) glyph.getDir(),
        glyph.getPageWidth(),
        glyph.getPageHeight(),
        glyph.getTextMatrix(),
        glyph.getEndX(),
        glyph.getEndY(),
        glyph.getHeight(),
        glyph.getIndividualWidths()[0],
        glyph.getWidthOfSpace(),
        text,
        glyph.getCharacterCodes(),
        glyph.getFont(),
        glyph.getFontSize(),
        (int) glyph.getFontSizeInPt());
  }
}
