package dev.jarvis.document.extract;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.pdfbox.cos.COSDictionary;
import org.apache.pdfbox.pdmodel.PDDocument;
import org.apache.pdfbox.pdmodel.PDPage;
import org.apache.pdfbox.pdmodel.interactive.documentnavigation.outline.PDDocumentOutline;
import org.apache.pdfbox.pdmodel.interactive.documentnavigation.outline.PDOutlineItem;
import org.apache.pdfbox.pdmodel.interactive.documentnavigation.outline.PDOutlineNode;

/** Finds the headings of a PDF's pages in its outline, the bookmarks that viewers list. */
final class PdfOutline {
  private static final String SEPARATOR = " › ";
  private static final int MAX_LEVELS = 10;
  private static final int MAX_ITEMS = 10_000;
  private static final int MAX_TITLE_CHARS = 200;

  private final PDDocument pdf;
  private final Map<COSDictionary, Integer> numbers = new HashMap<>();

  /** For each page, the heading that it begins under. */
  private final String[] headings;

  private int items;

  private PdfOutline(PDDocument pdf) {
    this.pdf = pdf;
    headings = new String[pdf.getNumberOfPages()];
  }

  /** Returns for each page the path of its first heading, or else of the last one before it. */
  static List<String> headings(PDDocument pdf) {
    PdfOutline outline = new PdfOutline(pdf);
    PDDocumentOutline root = pdf.getDocumentCatalog().getDocumentOutline();
    if (root != null) {
      int number = 0;
      for (PDPage page : pdf.getPages()) {
        outline.numbers.put(page.getCOSObject(), number++);
      }
      outline.walk(root, new ArrayList<>());
    }
    return outline.filled();
  }

  private void walk(PDOutlineNode node, List<String> path) {
    for (PDOutlineItem item : node.children()) {
      if (++items > MAX_ITEMS) { // or they form a circle
        return;
      }
      String title = item.getTitle() == null ? "" : item.getTitle().strip();
      List<String> below = new ArrayList<>(path);
      below.add(title.substring(0, Math.min(title.length(), MAX_TITLE_CHARS)));
      int page = page(item);
      if (page >= 0 && headings[page] == null) {
        headings[page] = String.join(SEPARATOR, below);
      }
      if (below.size() < MAX_LEVELS) {
        walk(item, below);
      }
    }
  }

  private int page(PDOutlineItem item) {
    try {
      PDPage page = item.findDestinationPage(pdf);
      return page == null ? -1 : numbers.getOrDefault(page.getCOSObject(), -1);
    } catch (IOException | RuntimeException e) {
      return -1; // a broken bookmark
    }
  }

  private List<String> filled() {
    List<String> filled = new ArrayList<>(headings.length);
    String last = "";
    for (String heading : headings) {
      last = heading == null ? last : heading;
      filled.add(last);
    }
    return filled;
  }
}
