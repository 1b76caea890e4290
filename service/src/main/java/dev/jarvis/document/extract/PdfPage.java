package dev.jarvis.document.extract;

import java.io.IOException;
import java.util.Set;
import java.util.TreeSet;
import org.apache.pdfbox.pdmodel.PDDocument;
import org.apache.pdfbox.text.PDFTextStripper;
import org.apache.pdfbox.text.TextPosition;

/**
 * The text that a viewer shows of a page, in the order of its content, which keeps columns apart.
 * Text that is turned sideways is read on its own, after the upright text; amid it each letter
 * would be a line.
 */
final class PdfPage extends PDFTextStripper {
  private final int direction;
  private final Set<Integer> others = new TreeSet<>();

  private PdfPage(int direction, int page) {
    this.direction = direction;
    setShouldSeparateByBeads(direction == 0); // their rectangles are not turned with the text
    setStartPage(page);
    setEndPage(page);
  }

  static String text(PDDocument pdf, int page) throws IOException {
    // on a page that is turned for viewing, upright text has the direction of that turn
    PdfPage upright = new PdfPage(pdf.getPage(page - 1).getRotation(), page);
    StringBuilder text = new StringBuilder(upright.getText(pdf));
    for (int direction : upright.others) {
      text.append(new PdfPage(direction, page).getText(pdf));
    }
    return text.toString();
  }

  @Override
  protected void processTextPosition(TextPosition text) {
    TextPosition glyph = PdfGlyphs.turned(text);
    if (!PdfGlyphs.isOnPage(glyph)) {
      return;
    }
    if (glyph.getRotation() == direction) {
      super.processTextPosition(glyph);
    } else {
      others.add(glyph.getRotation());
    }
  }

  @Override
  protected void writePage() throws IOException {
    charactersByArticle.replaceAll(PdfGlyphs::separated);
    super.writePage();
  }
}
