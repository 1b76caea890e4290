package dev.jarvis.document.extract;

import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.xml.sax.Attributes;

/** Lays out an OpenDocument text, or collects the headers and footers of its styles. */
final class OdtHandler extends XmlHandler {
  /** What is read of a repeated cell; an empty one is often repeated to the sheet's edge. */
  private static final int MAX_REPEATED = 64;

  private static final Set<String> MARGINALS =
      Set.of(
          "style:header",
          "style:header-left",
          "style:header-first",
          "style:footer",
          "style:footer-left",
          "style:footer-first");

  private final ZipPackage zip;
  private final TextLayout layout;
  private final OdtStyles styles;
  private final OdtLists lists;
  private final @Nullable Set<String> marginals;

  /** For each paragraph that is open, the notes and boxes that follow it. */
  private final Deque<List<String>> later = new ArrayDeque<>();

  private final Deque<Integer> headings = new ArrayDeque<>();
  private final Deque<Integer> repeats = new ArrayDeque<>();
  private String label = "";
  private boolean afterItem;
  private String mark = "";
  private boolean inMarginal;
  private boolean inMark;
  private boolean inAlternative;
  private boolean inFormula;
  private boolean embedded;
  private String reading = "";

  /**
   * Creates a handler that adds headers and footers to a set instead of the layout.
   *
   * @param marginals null to lay the text out
   */
  OdtHandler(ZipPackage zip, TextLayout layout, OdtStyles styles, @Nullable Set<String> marginals) {
    this.zip = zip;
    this.layout = layout;
    this.styles = styles;
    this.lists = new OdtLists(styles);
    this.marginals = marginals;
  }

  @Override
  boolean start(String name, Attributes attributes) throws IOException, ExtractionException {
    if (isLeftOut(name, attributes)) {
      return false;
    }
    if (MARGINALS.contains(name)) {
      inMarginal = true;
      layout.capture();
      return true;
    }
    switch (name) {
      case "text:p", "text:h" -> startParagraph(name, attributes);
      case "text:s" -> layout.text(" ");
      case "text:tab" -> layout.verbatim("\t");
      case "text:line-break" -> layout.lineBreak();
      case "text:list" -> lists.start(attributes);
      case "text:list-item" -> label = lists.next(attributes);
      case "text:note-citation" -> {
        inMark = true;
        mark = "";
      }
      case "text:note-body", "draw:text-box", "text:ruby-text" -> {
        layout.capture();
        later.push(new ArrayList<>());
      }
      case "svg:title", "svg:desc" -> inAlternative = true;
      case "draw:object" -> {
        if (!embedded) { // an object could contain itself
          object(value(attributes, "href", ""));
        }
      }
      case "mi", "mn", "mo", "ms", "mtext" -> inFormula = true;
      case "annotation" -> {
        return false;
      }
      case "table:table" -> {
        afterItem = false;
        layout.paragraph();
      }
      case "table:table-row" -> layout.startRow();
      case "table:table-cell" -> {
        repeats.push(repeated(attributes));
        layout.startCell();
      }
      case "table:covered-table-cell" -> {
        cells("", repeated(attributes));
        return false;
      }
      default -> {}
    }
    return true;
  }

  private boolean isLeftOut(String name, Attributes attributes) {
    return switch (name) {
      case "text:tracked-changes",
          "office:annotation",
          "office:forms",
          "office:scripts",
          "office:settings",
          "office:automatic-styles",
          "office:styles",
          "office:font-face-decls",
          "text:table-of-content-source",
          "text:alphabetical-index-source",
          "text:illustration-index-source",
          "text:table-index-source",
          "text:object-index-source",
          "text:user-index-source",
          "text:bibliography-source",
          "text:variable-decls",
          "text:sequence-decls",
          "text:user-field-decls",
          "text:note-continuation-notice-forward" ->
          true;
      case "text:hidden-text", "text:hidden-paragraph" ->
          value(attributes, "is-hidden", "false").equals("true");
      case "text:section", "text:variable-set", "text:user-field-get", "text:expression" ->
          value(attributes, "display", "").equals("none");
      case "text:p", "text:h", "text:span", "text:a" ->
          styles.isHidden(value(attributes, "style-name"));
      case "table:table-row", "table:table-column" ->
          !value(attributes, "visibility", "visible").equals("visible");
      default -> false;
    };
  }

  private static int repeated(Attributes cell) {
    return Math.clamp(number(cell, "number-columns-repeated", 1), 1, MAX_REPEATED);
  }

  private void cells(String text, int count) {
    for (int i = 0; i < count; i++) {
      layout.cell(text);
    }
  }

  private void startParagraph(String name, Attributes attributes)
      throws IOException, ExtractionException {
    String style = value(attributes, "style-name");
    int level =
        name.equals("text:h")
            ? number(attributes, "outline-level", 1)
            : styles.isTitle(style) ? 0 : -1;
    boolean item = !label.isEmpty();
    if (level >= 0) {
      layout.capture();
    } else if (item && afterItem) {
      layout.line();
    } else {
      layout.paragraph();
    }
    afterItem = item && level < 0;
    headings.push(level);
    later.push(new ArrayList<>());
    layout.text(label);
    label = "";
  }

  @Override
  void end(String name) throws IOException, ExtractionException {
    if (MARGINALS.contains(name)) {
      inMarginal = false;
      String text = layout.captured();
      if (marginals != null && !text.isBlank()) {
        marginals.add(text);
      }
      return;
    }
    switch (name) {
      case "text:p", "text:h" -> endParagraph();
      case "text:list" -> lists.end();
      case "text:note-citation" -> {
        inMark = false;
        layout.text("[" + mark + "]");
      }
      case "text:note-body" -> block("[" + mark + "] ", captured());
      case "draw:text-box" -> block("", captured());
      case "text:ruby-text" -> reading = captured();
      case "text:ruby" -> layout.text(reading.isBlank() ? "" : "(" + reading + ")");
      case "svg:title", "svg:desc" -> inAlternative = false;
      case "mi", "mn", "mo", "ms", "mtext" -> inFormula = false;
      case "table:table-cell" -> {
        String text = layout.captured();
        cells(text, repeats.pop());
      }
      case "table:table-row" -> layout.endRow();
      case "table:table" -> layout.paragraph();
      default -> {}
    }
  }

  private void endParagraph() throws IOException, ExtractionException {
    int level = headings.pop();
    if (level >= 0) {
      layout.heading(level, layout.captured());
    }
    List<String> blocks = later.pop();
    if (!blocks.isEmpty()) {
      blocks.forEach(layout::afterParagraph);
      layout.paragraph();
      afterItem = false;
    }
  }

  private String captured() throws IOException, ExtractionException {
    later.pop().forEach(layout::afterParagraph);
    afterItem = false;
    return layout.captured();
  }

  /** Adds a formula or the table of a chart, which are documents of their own. */
  private void object(String reference) throws IOException, ExtractionException {
    String path = reference.startsWith("./") ? reference.substring(2) : reference;
    layout.capture();
    OdtHandler object = new OdtHandler(zip, layout, styles, marginals);
    object.embedded = true;
    zip.parse(path + "/content.xml", object);
    String text = layout.captured();
    if (text.contains("\n")) {
      block("", text);
    } else {
      layout.text(text);
    }
  }

  private void block(String before, String text) {
    if (later.isEmpty()) {
      layout.afterParagraph(before + text);
    } else {
      later.element().add(before + text);
    }
  }

  @Override
  void text(String text) {
    if (inMark) {
      mark += text.strip();
    } else if (inAlternative) {
      layout.text(" " + text + " ");
    } else if ((inFormula || !headings.isEmpty()) && (marginals == null || inMarginal)) {
      layout.text(text);
    }
  }
}
