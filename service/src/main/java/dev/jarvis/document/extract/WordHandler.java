package dev.jarvis.document.extract;

import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.poi.openxml4j.opc.PackagePart;
import org.jspecify.annotations.Nullable;
import org.xml.sax.Attributes;

/** Lays out a part of a Word document: its body, a header or footer, or its notes. */
final class WordHandler extends XmlHandler {
  /** As many as Word allows. */
  private static final int MAX_COLUMNS = 63;

  /** The paragraphs that are open: one, and another in each text box in it. */
  private final Deque<WordParagraph> paragraphs = new ArrayDeque<>();

  private final TextLayout layout;
  private final PackagePart part;
  private final WordStyles styles;
  private final WordLists lists;
  private final Map<String, String> footnotes;
  private final Map<String, String> endnotes;
  private final Map<String, String> notes = new HashMap<>();
  private final Set<String> marginals = new LinkedHashSet<>();
  private final List<String> firstPage = new ArrayList<>();
  private final List<String> evenPages = new ArrayList<>();
  private final WordChunks chunks;
  private final WordFields fields = new WordFields();
  private final AlternateContent alternates = new AlternateContent();

  /** For each row that is open, whether it is left out. */
  private final Deque<Boolean> rows = new ArrayDeque<>();

  private @Nullable WordParagraph joined;
  private boolean inText;
  private boolean inParagraphProperties;
  private boolean inRunProperties;
  private boolean inRowProperties;

  /** For each cell that is open, how many columns it takes. */
  private final Deque<Integer> spans = new ArrayDeque<>();

  private boolean cellLeftOut;
  private boolean afterItem;
  private boolean titlePage;
  private int footnote;
  private int endnote;
  private String note = "";
  private String reading = "";

  WordHandler(
      TextLayout layout,
      PackagePart part,
      WordStyles styles,
      WordLists lists,
      Map<String, String> footnotes,
      Map<String, String> endnotes,
      WordChunks chunks) {
    this.layout = layout;
    this.part = part;
    this.styles = styles;
    this.lists = lists;
    this.footnotes = footnotes;
    this.endnotes = endnotes;
    this.chunks = chunks;
  }

  /** Returns the notes of the part by their ids. */
  Map<String, String> notes() {
    return notes;
  }

  /**
   * Returns the ids of the headers and footers that are shown on some page.
   *
   * @param even whether even pages have their own
   */
  Set<String> marginals(boolean even) {
    if (even) {
      marginals.addAll(evenPages);
    }
    return marginals;
  }

  @Override
  boolean start(String name, Attributes attributes) throws IOException, ExtractionException {
    return switch (name) {
      case "w:p" -> startParagraph();
      case "w:pPr" -> {
        inParagraphProperties = true;
        yield true;
      }
      case "w:rPr" -> {
        inRunProperties = true;
        yield true;
      }
      case "w:r" -> {
        top().hidden = styles.isHidden(top().style);
        yield true;
      }
      case "w:t", "m:t" -> {
        inText = true;
        yield true;
      }
      case "w:del", "w:moveFrom" -> deleted();
      case "w:pStyle",
          "w:framePr",
          "w:outlineLvl",
          "w:numId",
          "w:ilvl",
          "w:vanish",
          "w:specVanish",
          "w:rStyle" ->
          property(name, attributes);
      // what was before a change, the prompts and choices of a form, and the stops of tabs
      case "w:pPrChange",
          "w:rPrChange",
          "w:sectPrChange",
          "w:tblPrChange",
          "w:trPrChange",
          "w:tcPrChange",
          "w:sdtPr",
          "w:sdtEndPr",
          "w:tabs" ->
          false;
      case "w:tbl",
          "w:tr",
          "w:trPr",
          "w:tc",
          "w:gridSpan",
          "w:hidden",
          "w:gridBefore",
          "w:cellDel",
          "w:hMerge",
          "w:vMerge" ->
          table(name, attributes);
      case "w:altChunk" -> {
        if (!cellLeftOut) {
          close();
          afterItem = false;
          chunks.read(part, reference(attributes, "id"));
        }
        yield false;
      }
      case "w:txbxContent" -> {
        boolean shown = isShown();
        if (shown) {
          layout.capture();
        }
        yield shown;
      }
      case "w:footnote", "w:endnote" -> {
        note = value(attributes, "id", "");
        layout.capture();
        yield true;
      }
      case "w:footnoteReference" -> refer(footnotes, attributes, Integer.toString(++footnote));
      case "w:endnoteReference" ->
          refer(endnotes, attributes, Numerals.of(++endnote, "lowerRoman"));
      case "w:rt" -> {
        begin();
        layout.capture();
        yield true;
      }
      case "w:sectPr", "w:titlePg", "w:headerReference", "w:footerReference" ->
          section(name, attributes);
      case "mc:AlternateContent", "mc:Choice", "mc:Fallback" -> alternates.start(name);
      case "w:fldChar",
          "w:checkBox",
          "w:ddList",
          "w:default",
          "w:checked",
          "w:result",
          "w:listEntry" ->
          fields.start(name, attributes);
      case "c:chart", "dgm:relIds" -> {
        if (isShown()) {
          top().later.add(Graphics.text(part, name, attributes));
        }
        yield true;
      }
      default -> {
        if (isShown()) {
          inline(WordInline.text(name, attributes));
        }
        yield true;
      }
    };
  }

  @Override
  void end(String name) throws IOException, ExtractionException {
    switch (name) {
      case "w:p" -> endParagraph();
      case "w:pPr" -> inParagraphProperties = false;
      case "w:rPr" -> inRunProperties = false;
      case "w:trPr" -> inRowProperties = false;
      case "w:t", "m:t" -> inText = false;
      case "w:tc" -> {
        close();
        layout.endCell();
        emptyCells(spans.pop() - 1);
        cellLeftOut = false;
      }
      case "w:tr" -> {
        if (rows.pop()) {
          layout.dropRow();
        } else {
          layout.endRow();
        }
      }
      case "w:tbl" -> layout.paragraph();
      case "w:txbxContent" -> {
        close();
        afterItem = false;
        top().later.add(layout.captured());
      }
      case "w:footnote", "w:endnote" -> {
        close();
        notes.put(note, layout.captured());
      }
      case "w:rt" -> reading = layout.captured();
      case "w:rubyBase" -> {
        inline(reading.isBlank() ? "" : "(" + reading + ")");
        reading = "";
      }
      case "w:sectPr" -> {
        marginals.addAll(titlePage ? firstPage : List.of());
        firstPage.clear();
        titlePage = false;
      }
      case "mc:AlternateContent" -> alternates.end();
      case "w:checkBox", "w:ddList" -> inline(fields.end(name));
      default -> {}
    }
  }

  @Override
  void text(String text) throws IOException, ExtractionException {
    if (inText && isShown()) {
      inline(text);
    }
  }

  @Override
  void finish() throws IOException, ExtractionException {
    close();
  }

  private WordParagraph top() {
    if (paragraphs.isEmpty()) { // text where Word writes none
      paragraphs.push(new WordParagraph());
    }
    return paragraphs.element();
  }

  private boolean isShown() {
    return !top().hidden && !fields.inCode();
  }

  private boolean startParagraph() {
    if (cellLeftOut) {
      return false;
    }
    WordParagraph paragraph = joined == null ? new WordParagraph() : joined;
    joined = null;
    paragraph.joined = false;
    paragraphs.push(paragraph);
    return true;
  }

  private boolean property(String name, Attributes attributes) {
    WordParagraph paragraph = top();
    if (inParagraphProperties) {
      switch (name) {
        case "w:pStyle" -> paragraph.style = value(attributes, "val");
        // a large first letter is a paragraph of its own
        case "w:framePr" -> paragraph.joined |= value(attributes, "dropCap") != null;
        case "w:outlineLvl" -> paragraph.outline = WordStyles.outlineLevel(attributes);
        case "w:numId" -> paragraph.list = value(attributes, "val");
        case "w:ilvl" -> paragraph.listLevel = number(attributes, "val", 0);
        case "w:specVanish" -> paragraph.joined |= WordStyles.isOn(attributes);
        default -> {}
      }
    } else if (inRunProperties) {
      switch (name) {
        case "w:rStyle" -> paragraph.hidden |= styles.isHidden(value(attributes, "val"));
        case "w:vanish" -> paragraph.hidden = WordStyles.isOn(attributes);
        default -> {}
      }
    }
    return true;
  }

  /** A deleted text, row or end of a paragraph. */
  private boolean deleted() {
    if (inParagraphProperties) {
      top().joined = true;
    } else if (!inRunProperties && inRowProperties && !rows.isEmpty()) {
      rows.pop();
      rows.push(true);
    }
    return false;
  }

  private boolean table(String name, Attributes attributes)
      throws IOException, ExtractionException {
    switch (name) {
      case "w:tbl" -> {
        if (cellLeftOut) {
          return false;
        }
        close();
        afterItem = false;
        layout.paragraph();
      }
      case "w:tr" -> {
        rows.push(false);
        layout.startRow();
      }
      case "w:trPr" -> inRowProperties = true;
      case "w:hidden" -> deleted();
      case "w:gridBefore" -> emptyCells(number(attributes, "val", 0));
      case "w:gridSpan" -> {
        if (spans.poll() != null) {
          spans.push(Math.clamp(number(attributes, "val", 1), 1, MAX_COLUMNS));
        }
      }
      case "w:tc" -> {
        if (Boolean.TRUE.equals(rows.peek())) {
          return false;
        }
        layout.startCell();
        spans.push(1);
      }
      case "w:cellDel" -> cellLeftOut = true;
      default -> cellLeftOut |= !value(attributes, "val", "continue").equals("restart");
    }
    return true;
  }

  private void emptyCells(int count) {
    for (int i = Math.min(MAX_COLUMNS, count); i > 0; i--) {
      layout.cell("");
    }
  }

  private boolean section(String name, Attributes attributes) {
    switch (name) {
      case "w:sectPr" -> {}
      case "w:titlePg" -> titlePage = WordStyles.isOn(attributes);
      default -> {
        String id = reference(attributes, "id");
        switch (value(attributes, "type", "default")) {
          case "first" -> firstPage.add(id);
          case "even" -> evenPages.add(id);
          default -> marginals.add(id);
        }
      }
    }
    return true;
  }

  private boolean refer(Map<String, String> texts, Attributes attributes, String mark)
      throws IOException, ExtractionException {
    String text = texts.get(value(attributes, "id", ""));
    if (text != null && isShown()) {
      inline("[" + mark + "]");
      top().later.add("[" + mark + "] " + text);
    }
    return true;
  }

  private void inline(String text) throws IOException, ExtractionException {
    if (text.isEmpty()) {
      return;
    }
    begin();
    switch (text) {
      case "\n" -> layout.lineBreak();
      case "\t" -> layout.verbatim(text);
      default -> layout.text(text);
    }
  }

  /** Begins the paragraph with its first text, since it may turn out to have none. */
  private void begin() throws IOException, ExtractionException {
    WordParagraph paragraph = top();
    if (paragraph.begun) {
      return;
    }
    paragraph.begun = true;
    String label = label(paragraph);
    int level = paragraph.level(styles);
    boolean item = !label.isEmpty() && level < 0;
    if (level >= 0) {
      layout.capture();
      paragraph.heading = true;
    } else if (item && afterItem) {
      layout.line();
    } else {
      layout.paragraph();
    }
    afterItem = item;
    layout.text(label);
  }

  private String label(WordParagraph paragraph) {
    String list = paragraph.list == null ? styles.list(paragraph.style) : paragraph.list;
    Integer level = paragraph.listLevel;
    return lists.next(list, level == null ? styles.listLevel(paragraph.style) : level);
  }

  private void endParagraph() throws IOException, ExtractionException {
    WordParagraph paragraph = paragraphs.pop();
    fields.endParagraph();
    if (paragraph.joined) {
      joined = paragraph;
    } else {
      end(paragraph);
    }
  }

  /** Ends a paragraph that is joined to a next one which does not come. */
  private void close() throws IOException, ExtractionException {
    if (joined != null) {
      end(joined);
      joined = null;
    }
  }

  private void end(WordParagraph paragraph) throws IOException, ExtractionException {
    if (paragraph.heading) {
      layout.heading(paragraph.level(styles), layout.captured());
    } else if (!paragraph.begun) {
      label(paragraph); // an empty item counts
    }
    if (!paragraph.later.isEmpty()) {
      paragraph.later.forEach(layout::afterParagraph);
      layout.paragraph();
      afterItem = false;
    }
  }
}
