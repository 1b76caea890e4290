package dev.jarvis.document.extract;

import dev.jarvis.document.extract.TextDecoder.Decoded;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.jsoup.Jsoup;
import org.jsoup.nodes.Document;
import org.jsoup.nodes.Element;
import org.jsoup.nodes.Node;
import org.jsoup.nodes.TextNode;
import org.jspecify.annotations.Nullable;

/** Extracts the text of a web page as a browser shows it without style sheets, with jsoup. */
final class HtmlText {
  /** What a browser does not show; of a medium only what stands in for it. */
  private static final String INVISIBLE =
      "head, script, style, template, noscript, iframe, audio, video, canvas, datalist, rp,"
          + " svg title, svg desc, svg metadata, annotation, annotation-xml, dialog:not([open]),"
          + " [hidden], [style~=(?i)(display\\s*:\\s*none|visibility\\s*:\\s*hidden)]";

  private static final String HEADINGS = "h1, h2, h3, h4, h5, h6";

  /** A table with these in it arranges a page. */
  private static final String LAYOUT = "table table, " + HEADINGS + ", article, main, nav";

  /** A heading that is never closed contains the page. */
  private static final int MAX_HEADING_CHARS = 1_000;

  private static final String NOT_IN_HEADINGS = "p, ul, ol, dl, table, pre";

  private static final Set<String> BLOCKS =
      Set.of(
          "address",
          "article",
          "aside",
          "blockquote",
          "body",
          "center",
          "details",
          "dialog",
          "dir",
          "div",
          "dl",
          "docauthor",
          "doctitle",
          "fieldset",
          "figcaption",
          "figure",
          "footer",
          "form",
          "frameset",
          "header",
          "hgroup",
          "hr",
          "main",
          "menu",
          "nav",
          "ol",
          "p",
          "pre",
          "search",
          "section",
          "table",
          "ul",
          "h1",
          "h2",
          "h3",
          "h4",
          "h5",
          "h6");

  private static final Set<String> LINES =
      Set.of(
          "line",
          "dt",
          "option",
          "optgroup",
          "legend",
          "summary",
          "tr",
          "caption",
          "tbody",
          "thead",
          "tfoot");
  private static final Set<String> ROWS = Set.of("table", "thead", "tbody", "tfoot");
  private static final Set<String> APART =
      Set.of("button", "input", "select", "textarea", "label", "img", "td", "th");

  private final TextLayout layout;

  /** Of the one table that is open, because tables around others arrange the page. */
  private final HtmlColumns columns;

  private final Set<Element> headings = new HashSet<>();
  private final Set<Element> layoutTables = new HashSet<>();
  private final Map<Element, Integer> items = new HashMap<>();

  HtmlText(TextLayout layout) {
    this.layout = layout;
    this.columns = new HtmlColumns(layout);
  }

  static void read(Path file, SectionWriter writer) throws IOException, ExtractionException {
    Decoded decoded = TextDecoder.html(Files.readAllBytes(file), null);
    writer.encoding(decoded.encoding());
    TextLayout layout = new TextLayout(writer);
    new HtmlText(layout).read(Jsoup.parse(decoded.text()), true);
    layout.end();
  }

  /**
   * Adds the text of a page.
   *
   * @param title whether its title is part of it
   */
  void read(Document page, boolean title) throws IOException, ExtractionException {
    String name = page.title();
    page.select(INVISIBLE).remove();
    for (Element ruby : page.select("ruby")) { // 漢字(かんじ) rather than each sign with its reading
      String reading = String.join("", ruby.select("rt").eachText());
      ruby.select("rt").remove();
      ruby.appendText(reading.isEmpty() ? "" : "(" + reading + ")");
    }
    if (title && page.select("h1").stream().noneMatch(it -> it.text().equals(name))) {
      layout.text(name);
      layout.paragraph();
    }
    page.select(HEADINGS).stream()
        .filter(it -> it.select(NOT_IN_HEADINGS).isEmpty())
        .filter(it -> it.wholeText().length() <= MAX_HEADING_CHARS)
        .forEach(headings::add);
    page.select("table[role=presentation]").forEach(layoutTables::add);
    page.select(LAYOUT).forEach(this::markTablesAround);
    // an electronic book may have markup without a page's body
    Element root = page.selectFirst("body, frameset") == null ? page : page.body();
    Node node = root;
    while (node != null) { // not recursive, because a hostile page is nested deep
      boolean into = start(node) && node.childNodeSize() > 0;
      node = into ? node.childNode(0) : next(node, root);
    }
    layout.paragraph();
  }

  private @Nullable Node next(Node last, Node root) throws IOException, ExtractionException {
    for (Node node = last; node != null; node = node.parentNode()) {
      end(node);
      if (node.equals(root)) {
        return null;
      }
      Node sibling = node.nextSibling();
      if (sibling != null) {
        return sibling;
      }
    }
    return null;
  }

  /** Returns whether what the node contains is text too. */
  private boolean start(Node node) throws IOException, ExtractionException {
    if (node instanceof TextNode text) {
      if (isPreformatted(text)) {
        layout.verbatim(text.getWholeText());
      } else {
        layout.text(text.getWholeText());
      }
      return false;
    }
    if (!(node instanceof Element element)) {
      return false;
    }
    String name = element.normalName();
    if (headings.contains(element)) {
      layout.heading(name.charAt(1) - '0', shown(element));
      return false;
    }
    switch (name) {
      case "br" -> layout.lineBreak();
      case "img" -> layout.text(" " + element.attr("alt") + " ");
      case "li" -> layout.startItem(marker(element));
      case "dd" -> layout.startItem("");
      case "tr" -> {
        if (isTable(element)) {
          columns.startRow();
        } else {
          layout.line();
        }
      }
      case "td", "th" -> {
        if (isCell(element)) {
          columns.startCell();
        } else {
          layout.paragraph();
        }
      }
      case "table" -> {
        if (!layoutTables.contains(element)) {
          columns.startTable(element);
        }
        edge(element, name);
      }
      default -> edge(element, name);
    }
    return true;
  }

  private void end(Node node) throws IOException, ExtractionException {
    if (!(node instanceof Element element)) {
      return;
    }
    String name = element.normalName();
    switch (name) {
      case "br", "img" -> {}
      case "li", "dd" -> layout.endItem();
      case "td", "th" -> {
        if (isCell(element)) {
          columns.endCell(element);
        } else {
          layout.paragraph();
        }
      }
      case "tr" -> {
        if (isTable(element)) {
          columns.endRow();
        } else {
          layout.line();
        }
      }
      default -> edge(element, name);
    }
  }

  /** Separates an element from what is before or after it. */
  private void edge(Element element, String name) throws IOException, ExtractionException {
    if (ROWS.contains(name)) {
      columns.startRows();
    }
    if (LINES.contains(name) || (isList(name) && element.parents().is("li"))) {
      layout.line();
    } else if (APART.contains(name)) {
      layout.text(" ");
    } else if (name.equals("a")) {
      // neighbours in a menu, which only a style sheet separates
      if (isLink(element.nextSibling()) || isLink(element.previousSibling())) {
        layout.text(" ");
      }
    } else if (BLOCKS.contains(name) || name.contains("-")) {
      layout.paragraph();
    }
  }

  private static boolean isLink(@Nullable Node node) {
    return node instanceof Element element && element.normalName().equals("a");
  }

  private static boolean isList(String name) {
    return name.equals("ul") || name.equals("ol") || name.equals("menu");
  }

  private String marker(Element item) {
    Element list = item.parent();
    if (list == null || !list.normalName().equals("ol")) {
      return "- ";
    }
    int number =
        number(item.attr("value"), items.getOrDefault(list, number(list.attr("start"), 1)));
    items.put(list, number + 1);
    return Numerals.of(number, list.attr("type")) + ". ";
  }

  private static int number(String text, int otherwise) {
    return text.matches("\\d{1,9}") ? Integer.parseInt(text) : otherwise;
  }

  private static boolean isPreformatted(TextNode text) {
    for (Node it = text.parent(); it instanceof Element element; it = it.parent()) {
      if (element.normalName().equals("pre") || element.normalName().equals("textarea")) {
        return true;
      }
      if (BLOCKS.contains(element.normalName())) {
        return false;
      }
    }
    return false;
  }

  private void markTablesAround(Element element) {
    Element parent = element.parent();
    Element table = parent == null ? null : parent.closest("table");
    if (table != null && layoutTables.add(table)) {
      markTablesAround(table);
    }
  }

  private boolean isCell(Element cell) {
    Element row = cell.parent();
    return row != null && row.normalName().equals("tr") && isTable(row);
  }

  private boolean isTable(Element row) {
    Element table = row.closest("table");
    return table != null && !layoutTables.contains(table);
  }

  /** The text of a heading, with that of images. */
  private static String shown(Element heading) {
    heading.select("img").forEach(it -> it.replaceWith(new TextNode(" " + it.attr("alt") + " ")));
    return heading.text();
  }
}
