package dev.jarvis.document.extract;

import java.io.IOException;
import java.util.Set;
import java.util.TreeSet;
import org.apache.pdfbox.pdmodel.PDDocument;
import org.apache.pdfbox.text.PDFTextStripper;
import org.apache.pdfbox.text.TextPosition;

/**
 * The text of a page in the order of its content, which keeps columns apart. Text that is turned
 * sideways is read on its own, by its position along its lines; amid other text each letter would
 * be a line.
 */
final class PdfPage extends PDFTextStripper {
  private final int direction;
  private final Set<Integer> others = new TreeSet<>();

  private PdfPage(int direction, int page) {
    this.direction = direction;
    setSortByPosition(direction != 0); // only this follows the direction of the text
    setStartPage(page);
    setEndPage(page);
  }

  static String text(PDDocument pdf, int page) throws IOException {
    PdfPage upright = new PdfPage(0, page);
    StringBuilder text = new StringBuilder(upright.getText(pdf));
    for (int direction : upright.others) {
      text.append(new PdfPage(direction, page).getText(pdf));
    }
    return text.toString();
  }

  @Override
  protected void processTextPosition(TextPosition text) {
    int turned = (int) text.getDir();
    if (turned == direction) {
      super.processTextPosition(text);
    } else {
      others.add(turned);
    }
  }
}
