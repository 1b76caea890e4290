package dev.jarvis.document.extract;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Set;
import java.util.TreeMap;
import org.apache.pdfbox.cos.COSDictionary;
import org.apache.pdfbox.pdmodel.PDDocument;
import org.apache.pdfbox.pdmodel.PDPage;
import org.apache.pdfbox.pdmodel.interactive.documentnavigation.outline.PDOutlineItem;
import org.apache.pdfbox.pdmodel.interactive.documentnavigation.outline.PDOutlineNode;

/** The bookmarks of a PDF, as the headings that hold for a whole page. */
final class PdfOutline {
  private static final int MAX_ITEMS = 5_000;
  private static final int MAX_DEPTH = 8;

  private final NavigableMap<Integer, List<List<String>>> bookmarks = new TreeMap<>();

  /** By the first page that they hold for. */
  private final NavigableMap<Integer, String> headings = new TreeMap<>();

  private final Set<COSDictionary> seen = new HashSet<>(); // a damaged outline may be a circle

  private PdfOutline() {}

  static PdfOutline of(PDDocument pdf) {
    PdfOutline outline = new PdfOutline();
    PDOutlineNode root = pdf.getDocumentCatalog().getDocumentOutline();
    if (root != null) {
      outline.add(pdf, root, List.of());
      outline.setHeadings();
    }
    return outline;
  }

  private void add(PDDocument pdf, PDOutlineNode parent, List<String> above) {
    for (PDOutlineItem item = parent.getFirstChild();
        item != null && seen.size() < MAX_ITEMS && seen.add(item.getCOSObject());
        item = item.getNextSibling()) {
      List<String> path = new ArrayList<>(above);
      String title = item.getTitle();
      if (title != null && !title.isBlank()) {
        path.add(HeadingPath.shortened(title.strip()));
      }
      int page = page(pdf, item);
      if (page > 0) {
        bookmarks.computeIfAbsent(page, it -> new ArrayList<>()).add(path);
      }
      if (path.size() < MAX_DEPTH) {
        add(pdf, item, path);
      }
    }
  }

  private static int page(PDDocument pdf, PDOutlineItem item) {
    try {
      PDPage page = item.findDestinationPage(pdf);
      return page == null ? 0 : pdf.getPages().indexOf(page) + 1;
    } catch (IOException | RuntimeException e) {
      return 0; // a bookmark that leads nowhere
    }
  }

  private void setHeadings() {
    List<String> before = List.of();
    for (Map.Entry<Integer, List<List<String>>> page : bookmarks.entrySet()) {
      List<List<String>> paths = page.getValue();
      headings.put(page.getKey(), path(paths.stream().reduce(before, PdfOutline::common)));
      before = paths.getLast();
      headings.put(page.getKey() + 1, path(before));
    }
  }

  /** Returns what is common to the bookmark that a page begins under and those on the page. */
  String heading(int page) {
    Map.Entry<Integer, String> heading = headings.floorEntry(page);
    return heading == null ? "" : heading.getValue();
  }

  private static String path(List<String> headings) {
    return String.join(Section.HEADING_SEPARATOR, headings);
  }

  private static List<String> common(List<String> a, List<String> b) {
    int length = 0;
    while (length < Math.min(a.size(), b.size()) && a.get(length).equals(b.get(length))) {
      length++;
    }
    return a.subList(0, length);
  }
}
