package dev.jarvis.document.extract;

import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.List;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Lays text out as a reader sees it: paragraphs apart, a table's row on a line with its cells
 * between bars, headings as the context of what follows. Readers of markup call it element by
 * element; it writes a section for each heading.
 */
final class TextLayout {
  /** Visible, so that neither a person nor a model takes two cells for one. */
  static final String CELLS = " | ";

  /** Enough for the headings of a mail that was forwarded many times. */
  private static final int MAX_LEVELS = 32;

  /** Where a section without headings is divided, so that little text is in memory. */
  private static final int MAX_SECTION_CHARS = 1 << 16;

  private final SectionWriter writer;
  private final Deque<Flow> flows = new ArrayDeque<>();
  private final Deque<List<String>> rows = new ArrayDeque<>();
  private final String[] headings = new String[MAX_LEVELS];
  private int page;
  private int base; // the level of the outermost heading
  private int lastLevel = -1;
  private boolean lines; // whether each is a unit
  private boolean body; // whether the section has more than headings

  TextLayout(SectionWriter writer) {
    this.writer = writer;
    flows.push(new Flow());
    clearHeadings(0);
  }

  /** Adds text in which white space is one blank, as in HTML. */
  void text(String text) {
    flow().text(text);
  }

  /** Adds text with its white space and line ends. */
  void verbatim(String text) {
    flow().verbatim(text);
  }

  /** Breaks the line; twice ends the paragraph. */
  void lineBreak() {
    flow().breaks = Math.min(2, flow().breaks + 1);
  }

  /** Begins a line, as a list's item does. */
  void line() {
    flow().breaks = Math.max(1, flow().breaks);
  }

  /** Begins an item of a list; paragraphs that begin with it stay beside its marker. */
  void startItem(String marker) {
    line();
    flow().marker = marker;
    flow().breaksBeforeItem = flow().breaks;
  }

  /** Ends an item; one without text leaves no marker. */
  void endItem() {
    flow().marker = null;
    line();
  }

  /** Ends the paragraph; what belongs after it follows. */
  void paragraph() throws IOException, ExtractionException {
    Flow flow = flow();
    flow.breaks = 2;
    List<String> later = flow.later;
    flow.later = new ArrayList<>();
    for (String block : later) {
      flow.verbatim(block);
      flow.breaks = 2;
    }
    divide();
  }

  private void divide() throws IOException, ExtractionException {
    Flow flow = flow();
    if (flows.size() == 1) {
      body |= flow.written;
      flow.written = false;
      if (flow.out.length() > MAX_SECTION_CHARS) {
        flush();
      }
    }
  }

  /** Adds a block, such as a note or a text box, after the current paragraph. */
  void afterParagraph(String block) {
    if (!block.isBlank()) {
      flow().later.add(block);
    }
  }

  /** Begins text that {@link #captured} returns instead of adding it. */
  void capture() {
    flows.push(new Flow());
  }

  String captured() throws IOException, ExtractionException {
    paragraph();
    return flows.pop().out.toString();
  }

  /** Begins a page or slide, under no heading. */
  void page(int number) throws IOException, ExtractionException {
    section();
    page = number;
  }

  /** Begins a part under no heading. */
  void section() throws IOException, ExtractionException {
    paragraph();
    flush();
    clearHeadings(0);
    base = 0;
  }

  /** Begins a part under these headings, which are not in its text; its own are below them. */
  void section(List<String> above) throws IOException, ExtractionException {
    section();
    for (int i = 0; i < above.size(); i++) {
      context(i, above.get(i));
    }
    base = above.size();
  }

  /**
   * Adds a heading, which stays in the text too.
   *
   * @param level from 0, the outermost
   */
  void heading(int level, String text) throws IOException, ExtractionException {
    String title = oneLine(text);
    flow().marker = null; // a heading is no item of a list
    paragraph();
    if (flows.size() > 1 || title.isEmpty()) { // in a table, where it is no heading of what follows
      verbatim(title);
      paragraph();
      return;
    }
    int depth = Math.clamp((long) base + level, base, MAX_LEVELS - 1);
    if (body || depth <= lastLevel) {
      flush();
    }
    context(depth, title);
    flow().verbatim(title);
    flow().written = false;
    paragraph();
  }

  /** Begins rows of which each is a unit, or ends them; the headings stay. */
  void lines(boolean lines) throws IOException, ExtractionException {
    paragraph();
    flush();
    this.lines = lines;
  }

  /** Sets a heading of what follows without adding it to the text. */
  void context(int level, String title) {
    int depth = Math.clamp(level, 0, MAX_LEVELS - 1);
    clearHeadings(depth);
    headings[depth] = HeadingPath.shortened(title);
    lastLevel = depth;
  }

  void startRow() {
    line();
    rows.push(new ArrayList<>());
  }

  void startCell() {
    capture();
  }

  void endCell() throws IOException, ExtractionException {
    cell(captured());
  }

  void cell(String text) {
    if (!rows.isEmpty()) {
      rows.peek().add(text.strip());
    }
  }

  /** Returns the row as it was added to the text. */
  String endRow() throws IOException, ExtractionException {
    List<String> cells = rows.pop();
    List<String> filled = cells.stream().filter(it -> !it.isEmpty()).toList();
    if (filled.isEmpty()) {
      return "";
    }
    int end = cells.lastIndexOf(filled.getLast()) + 1;
    String row =
        end == 1 // often layout: its paragraphs stay apart
            ? filled.getFirst()
            : cells.subList(0, end).stream()
                .map(TextLayout::oneLine)
                .collect(Collectors.joining(CELLS))
                .strip();
    flow().verbatim(row);
    divide();
    line();
    return row;
  }

  /** Leaves out the row that was begun. */
  void dropRow() {
    rows.pop();
  }

  /** Adds headers and footers after the text; those with only a page's number are of no use. */
  void marginals(Collection<String> texts) throws IOException, ExtractionException {
    section();
    for (String text : texts) {
      if (text.codePoints().anyMatch(Character::isLetter)) {
        verbatim(text);
        paragraph();
      }
    }
  }

  /** Ends the text. */
  void end() throws IOException, ExtractionException {
    paragraph();
    flush();
  }

  static String oneLine(String text) {
    return text.replaceAll("\\s+", " ").strip();
  }

  private Flow flow() {
    return flows.element();
  }

  private void flush() throws IOException, ExtractionException {
    Flow flow = flows.getLast();
    String text = flow.out.toString();
    if (lines) {
      writer.addLines(path(), text);
    } else {
      writer.add(page, path(), text);
    }
    flow.out.setLength(0);
    flow.breaks = 0;
    body = false;
    lastLevel = -1;
  }

  private String path() {
    StringBuilder path = new StringBuilder();
    for (String heading : headings) {
      if (!heading.isEmpty()) {
        path.append(path.isEmpty() ? "" : Section.HEADING_SEPARATOR).append(heading);
      }
    }
    return path.toString();
  }

  private void clearHeadings(int from) {
    for (int i = from; i < headings.length; i++) {
      headings[i] = "";
    }
  }

  /** Text of a document, a cell or a note, and how it continues. */
  private static final class Flow {
    final StringBuilder out = new StringBuilder();
    List<String> later = new ArrayList<>();
    int breaks;
    @Nullable String marker; // of an item that has no text yet
    int breaksBeforeItem;
    boolean blank;
    boolean written; // since the last paragraph

    void text(String text) {
      int end = text.length();
      for (int i = 0; i < end; i++) {
        char c = text.charAt(i);
        if (c == ' ' || c == '\n' || c == '\t' || c == '\r' || c == '\f') {
          blank = true;
        } else {
          separate();
          out.append(c);
        }
      }
    }

    void verbatim(String text) {
      if (!text.isEmpty()) {
        separate();
        out.append(text);
      }
    }

    private void separate() {
      if (!out.isEmpty()) {
        if (marker != null) {
          out.append("\n".repeat(breaksBeforeItem));
        } else if (breaks > 0) {
          out.append("\n".repeat(breaks));
        } else if (blank) {
          out.append(' ');
        }
      }
      if (marker != null) {
        out.append(marker);
      }
      marker = null;
      breaks = 0;
      blank = false;
      written = true;
    }
  }
}
