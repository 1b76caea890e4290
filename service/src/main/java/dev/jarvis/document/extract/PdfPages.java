package dev.jarvis.document.extract;

import java.util.ArrayList;
import java.util.List;
import org.xml.sax.Attributes;
import org.xml.sax.SAXException;
import org.xml.sax.helpers.DefaultHandler;

/**
 * Collects the text of each page from the XHTML of Tika's PDF parser, in which a page is a {@code
 * div} of the class {@code page}. What follows the last page, such as a form's values that could
 * not be drawn, belongs to it.
 */
final class PdfPages extends DefaultHandler {
  /** Stands for what XML does not allow, which includes control characters of odd fonts. */
  private static final char REPLACEMENT = '\ufffd';

  private final List<StringBuilder> pages = new ArrayList<>();
  private final SectionWriter writer;
  private long chars;
  private boolean body;

  /**
   * @param writer limits the length
   */
  PdfPages(SectionWriter writer) {
    this.writer = writer;
  }

  List<String> texts() {
    return pages.stream().map(StringBuilder::toString).toList();
  }

  @Override
  public void startElement(String uri, String name, String qualified, Attributes attributes) {
    body |= name.equals("body");
    if (name.equals("div") && "page".equals(attributes.getValue("class"))) {
      pages.add(new StringBuilder());
    }
  }

  @Override
  public void endElement(String uri, String name, String qualified) {
    if (name.equals("p") || name.equals("li")) {
      characters("\n");
    }
  }

  @Override
  public void characters(char[] text, int start, int length) throws SAXException {
    chars += length;
    try {
      writer.require(chars);
    } catch (ExtractionException e) {
      throw new SAXException(e);
    }
    characters(new String(text, start, length));
  }

  @Override
  public void ignorableWhitespace(char[] text, int start, int length) throws SAXException {
    characters(text, start, length);
  }

  private void characters(String text) {
    if (body && !pages.isEmpty()) {
      pages.getLast().append(text.replace(REPLACEMENT, ' '));
    }
  }
}
