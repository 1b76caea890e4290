package dev.jarvis.document.extract;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.apache.pdfbox.cos.COSDictionary;
import org.apache.pdfbox.pdmodel.PDDocument;
import org.apache.pdfbox.pdmodel.PDPage;
import org.apache.pdfbox.pdmodel.interactive.documentnavigation.outline.PDOutlineItem;
import org.apache.pdfbox.pdmodel.interactive.documentnavigation.outline.PDOutlineNode;

/** The bookmarks of a PDF, as the headings that hold for a whole page. */
final class PdfOutline {
  private static final int MAX_ITEMS = 5_000;
  private static final int MAX_DEPTH = 8;

  private final List<Entry> entries = new ArrayList<>();
  private final Set<COSDictionary> seen = new HashSet<>(); // a damaged outline may be a circle

  private record Entry(int page, List<String> path) {}

  private PdfOutline() {}

  static PdfOutline of(PDDocument pdf) {
    PdfOutline outline = new PdfOutline();
    PDOutlineNode root = pdf.getDocumentCatalog().getDocumentOutline();
    if (root != null) {
      outline.add(pdf, root, List.of());
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
        path.add(title.strip());
      }
      int page = page(pdf, item);
      if (page > 0) {
        entries.add(new Entry(page, path));
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

  /** Returns what is common to the bookmark that a page begins under and those on the page. */
  String heading(int page) {
    List<String> common = null;
    List<String> before = List.of();
    for (Entry entry : entries) {
      if (entry.page < page) {
        before = entry.path;
      } else if (entry.page == page) {
        common = common(common == null ? before : common, entry.path);
      }
    }
    return String.join(HeadingPath.SEPARATOR, common == null ? before : common);
  }

  private static List<String> common(List<String> a, List<String> b) {
    int length = 0;
    while (length < Math.min(a.size(), b.size()) && a.get(length).equals(b.get(length))) {
      length++;
    }
    return a.subList(0, length);
  }
}
