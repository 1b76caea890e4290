package dev.jarvis.document.extract;

import dev.jarvis.document.extract.RtfGroup.Kind;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/** Lays out the paragraphs of an RTF file, whose tables are paragraphs with marks between them. */
final class RtfParagraphs {
  private static final int MAX_DEPTH = 20;

  /** The paragraph of the document, of a note or of a box. */
  private static final class Flow {
    final StringBuilder label = new StringBuilder();
    final List<String> later = new ArrayList<>();

    /** For each row that is open, whether a cell of it is. */
    final Deque<Boolean> rows = new ArrayDeque<>();

    boolean begun;
    int level = -1;
    boolean afterItem;
    boolean afterRow;
    boolean inRow;
  }

  private final TextLayout layout;
  private final Deque<Flow> flows = new ArrayDeque<>();
  private final Set<String> marginals = new LinkedHashSet<>();
  private int note;

  RtfParagraphs(TextLayout layout) {
    this.layout = layout;
    flows.push(new Flow());
  }

  /** Adds to the label of the next item. */
  void label(String text) {
    flow().label.append(text);
  }

  /** Sets whether the text belongs to a row even if its paragraphs do not say so. */
  void inRow(boolean inRow) {
    flow().inRow = inRow;
  }

  void text(String text, RtfGroup group, int level) throws IOException, ExtractionException {
    begin(group, level, text.isBlank());
    switch (text) {
      case "\n" -> layout.lineBreak();
      case "\t" -> {
        if (flow().begun) {
          layout.verbatim(text);
        }
      }
      default -> layout.text(text);
    }
  }

  private void begin(RtfGroup group, int level, boolean blank)
      throws IOException, ExtractionException {
    Flow flow = flow();
    if (flow.begun || blank) {
      return;
    }
    flow.begun = true;
    rows(Math.max(group.depth, group.inTable || flow.inRow ? 1 : 0));
    String label = flow.label.toString().strip();
    flow.label.setLength(0);
    flow.level = flow.rows.isEmpty() ? Math.max(level, group.outline) : -1;
    if (flow.level >= 0) {
      layout.capture();
    } else if (!label.isEmpty() && flow.afterItem) {
      layout.line();
    } else {
      layout.paragraph();
    }
    flow.afterRow = false;
    flow.afterItem = !label.isEmpty() && flow.level < 0;
    boolean bullet = label.equals("o") || label.codePoints().noneMatch(Character::isLetterOrDigit);
    layout.text(label.isEmpty() ? "" : bullet ? "- " : label + " ");
  }

  /** Opens rows and a cell, or closes rows, until the text is as deep in tables as it says. */
  private void rows(int depth) throws IOException, ExtractionException {
    Flow flow = flow();
    while (flow.rows.size() > depth) {
      endRow();
    }
    while (flow.rows.size() < Math.min(MAX_DEPTH, depth)) {
      cell();
      if (flow.rows.isEmpty() && !flow.afterRow) {
        layout.paragraph();
      }
      flow.rows.push(false);
      layout.startRow();
    }
    cell();
  }

  private void cell() {
    Flow flow = flow();
    if (!flow.rows.isEmpty() && !flow.rows.element()) {
      flow.rows.pop();
      flow.rows.push(true);
      layout.startCell();
    }
  }

  private void endRow() throws IOException, ExtractionException {
    Flow flow = flow();
    if (flow.rows.pop()) {
      layout.endCell();
    }
    layout.endRow();
    flow.afterItem = false;
    flow.afterRow = flow.rows.isEmpty();
  }

  /** Ends a paragraph, cell or row. */
  void end(String mark, RtfGroup group, int level) throws IOException, ExtractionException {
    Flow flow = flow();
    endParagraph();
    switch (mark) {
      case "cell" -> endCell(1);
      case "nestcell" -> endCell(Math.max(2, group.depth));
      case "row" -> {
        while (!flow.rows.isEmpty()) {
          endRow();
        }
        flow.inRow = false;
      }
      case "nestrow" -> {
        if (flow.rows.size() > 1) {
          endRow();
        }
      }
      default -> layout.line();
    }
  }

  private void endCell(int depth) throws IOException, ExtractionException {
    rows(depth);
    Flow flow = flow();
    flow.rows.pop();
    flow.rows.push(false);
    layout.endCell();
    flow.afterItem = false;
  }

  private void endParagraph() throws IOException, ExtractionException {
    Flow flow = flow();
    if (flow.level >= 0) {
      layout.heading(flow.level, layout.captured());
    }
    if (!flow.later.isEmpty()) {
      flow.later.forEach(layout::afterParagraph);
      flow.later.clear();
      layout.paragraph();
      flow.afterItem = false;
    }
    flow.begun = false;
    flow.level = -1;
    flow.label.setLength(0);
  }

  /** Begins a note, a box, or a header or footer. */
  void begin(Kind kind, RtfGroup group, int level) throws IOException, ExtractionException {
    if (kind == Kind.NOTE) {
      note++;
      text("[" + note + "]", group, level);
    }
    layout.capture();
    flows.push(new Flow());
  }

  void end(Kind kind) throws IOException, ExtractionException {
    finish();
    flows.pop();
    String text = layout.captured();
    switch (kind) {
      case NOTE -> flow().later.add("[" + note + "] " + text);
      case BOX -> flow().later.add(text);
      default -> marginals.add(text);
    }
  }

  private void finish() throws IOException, ExtractionException {
    endParagraph();
    while (!flow().rows.isEmpty()) {
      endRow();
    }
  }

  /** Ends the document. */
  void end() throws IOException, ExtractionException {
    while (flows.size() > 1) { // the file was cut off
      end(Kind.BOX);
    }
    finish();
  }

  /** Returns the headers and footers. */
  Set<String> marginals() {
    return marginals;
  }

  private Flow flow() {
    return flows.element();
  }
}
