package dev.jarvis.document.extract;

import dev.jarvis.document.extract.RtfGroup.Kind;
import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/**
 * Extracts the text of an RTF file as it is printed, without deleted and hidden text and without
 * comments. Headers and footers follow the text, each once.
 */
final class RtfText {
  /** Destinations whose text is not the document's. */
  private static final Set<String> LEFT_OUT =
      Set.of(
          "annotation",
          "atnauthor",
          "atndate",
          "atnicn",
          "atnid",
          "atnparent",
          "atnref",
          "atrfend",
          "atrfstart",
          "colortbl",
          "datafield",
          "falt",
          "filetbl",
          "fldinst",
          "fname",
          "fontemb",
          "fontfile",
          "ftncn",
          "ftnsep",
          "ftnsepc",
          "aftncn",
          "aftnsep",
          "aftnsepc",
          "info",
          "listoverridetable",
          "listtable",
          "mmathPr",
          "mmathPict",
          "nextfile",
          "nonesttables",
          "objclass",
          "objdata",
          "objname",
          "picprop",
          "pict",
          "pn",
          "private",
          "pwd",
          "revtbl",
          "rsidtbl",
          "rxe",
          "shprslt",
          "sp",
          "tc",
          "template",
          "txe",
          "upr",
          "xe");

  /** Destinations marked as ignorable, whose text is the document's all the same. */
  private static final Set<String> TAKEN =
      Set.of("shpinst", "do", "ud", "moMath", "moMathPara", "nesttableprops", "shptxt");

  private final RtfReader reader;
  private final RtfFonts fonts = new RtfFonts();
  private final RtfParagraphs paragraphs;
  private final Deque<RtfGroup> groups = new ArrayDeque<>();
  private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
  private final Map<Integer, Integer> headings = new HashMap<>();
  private final StringBuilder styleName = new StringBuilder();
  private int style;
  private int skip; // characters for readers without Unicode
  private boolean ignorable;

  private RtfText(TextLayout layout, InputStream in) {
    this.reader = new RtfReader(in);
    this.paragraphs = new RtfParagraphs(layout);
  }

  static void read(Path file, SectionWriter writer) throws IOException, ExtractionException {
    try (InputStream in = new BufferedInputStream(Files.newInputStream(file))) {
      TextLayout layout = new TextLayout(writer);
      layout.marginals(read(in, layout));
      layout.end();
    }
  }

  /** Adds the text, and returns the headers and footers. */
  static Set<String> read(InputStream in, TextLayout layout)
      throws IOException, ExtractionException {
    RtfText text = new RtfText(layout, in);
    text.read();
    return text.paragraphs.marginals();
  }

  private void read() throws IOException, ExtractionException {
    if (reader.next() != RtfReader.Token.OPEN
        || reader.next() != RtfReader.Token.WORD
        || !reader.word().equals("rtf")) {
      throw ExtractionException.wrongType("RTF (.rtf)");
    }
    groups.push(new RtfGroup());
    while (!groups.isEmpty()) {
      switch (reader.next()) {
        case OPEN -> {
          flush();
          groups.push(group().copy());
          skip = 0;
          ignorable = false;
        }
        case CLOSE -> {
          flush();
          skip = 0;
          end(groups.pop());
        }
        case BYTE -> {
          if (skip > 0) {
            skip--;
          } else {
            bytes.write(reader.parameter());
          }
        }
        case WORD -> {
          if (skip > 0 && !reader.word().equals("u")) {
            skip--;
          } else {
            flush();
            word(reader.word(), reader.parameter());
          }
        }
        case END -> {
          flush();
          groups.clear(); // a file that was cut off keeps what it has
        }
      }
    }
    paragraphs.end();
  }

  private RtfGroup group() {
    return groups.element();
  }

  private void flush() throws IOException, ExtractionException {
    if (bytes.size() > 0) {
      String text = fonts.decode(bytes.toByteArray(), group().font);
      bytes.reset();
      text(text);
    }
  }

  private void text(String text) throws IOException, ExtractionException {
    switch (group().kind) {
      case LEFT_OUT -> {}
      case FONTS -> fonts.name(text.replace(";", ""));
      case STYLES -> styleName.append(text);
      case LABEL -> paragraphs.label(text);
      case TEXT, NOTE, BOX, MARGINAL -> {
        if (group().isShown()) {
          paragraphs.text(text, group(), headings.getOrDefault(group().style, -1));
        }
      }
    }
  }

  private void word(String word, int value) throws IOException, ExtractionException {
    RtfGroup group = group();
    boolean starred = ignorable;
    ignorable = false;
    switch (word) {
      case "*" -> ignorable = true;
      case "fonttbl" -> group.kind = Kind.FONTS;
      case "stylesheet" -> group.kind = Kind.STYLES;
      case "listtext", "pntext" -> begin(Kind.LABEL);
      case "footnote" -> begin(Kind.NOTE);
      case "shptxt", "dptxbxtext" -> begin(Kind.BOX);
      case "header", "headerl", "headerr", "headerf", "footer", "footerl", "footerr", "footerf" ->
          begin(Kind.MARGINAL);
      case "ud" -> group.kind = Kind.TEXT;
      default -> {
        if (LEFT_OUT.contains(word) || (starred && !TAKEN.contains(word))) {
          group.kind = Kind.LEFT_OUT;
        } else if (group.kind == Kind.FONTS) {
          defineFont(word, value);
        } else if (group.kind == Kind.STYLES) {
          defineStyle(word, value);
        } else if (!format(word, value)) {
          sign(word, value);
        }
      }
    }
  }

  private void begin(Kind kind) throws IOException, ExtractionException {
    RtfGroup group = group();
    if (group.kind == Kind.LEFT_OUT || !group.isShown()) {
      group.kind = Kind.LEFT_OUT;
      return;
    }
    group.kind = kind;
    group.begins = true;
    if (kind != Kind.LABEL) {
      paragraphs.begin(kind, group, headings.getOrDefault(group.style, -1));
      group.newParagraph();
    }
  }

  private void end(RtfGroup group) throws IOException, ExtractionException {
    if (group.begins && group.kind != Kind.LABEL && group.kind != Kind.LEFT_OUT) {
      paragraphs.end(group.kind);
    } else if (group.kind == Kind.STYLES) {
      String name = styleName.toString().toLowerCase(Locale.ROOT).replace(";", "").strip();
      if (name.matches("heading [1-9]")) {
        headings.put(style, name.charAt(8) - '0');
      } else if (name.equals("title")) {
        headings.put(style, 0);
      }
      styleName.setLength(0);
    }
  }

  private void defineFont(String word, int value) {
    switch (word) {
      case "f" -> fonts.define(value);
      case "fcharset" -> fonts.charset(value);
      default -> {}
    }
  }

  private void defineStyle(String word, int value) {
    switch (word) {
      case "s" -> style = value;
      case "outlinelevel" -> headings.put(style, Math.clamp(value, 0, 8) + 1);
      case "cs", "ds", "ts" -> group().kind = Kind.LEFT_OUT;
      default -> {}
    }
  }

  /** A word that sets a property; returns false if it is none. */
  private boolean format(String word, int value) {
    RtfGroup group = group();
    boolean on = value != 0;
    switch (word) {
      case "ansicpg" -> fonts.codePage(value);
      case "mac" -> fonts.codePage(10_000);
      case "pc" -> fonts.codePage(437);
      case "pca" -> fonts.codePage(850);
      case "f" -> group.font = value;
      case "uc" -> group.fallback = Math.max(0, value);
      case "v" -> group.hidden = on;
      case "deleted" -> group.deleted = on;
      case "mvf" -> group.moved = on;
      case "plain" -> group.plain();
      case "pard" -> {
        if (group.kind != Kind.LABEL) {
          group.newParagraph();
        }
      }
      case "intbl" -> group.inTable = on;
      case "itap" -> group.depth = Math.max(0, value);
      case "s" -> group.style = value;
      case "outlinelevel" -> group.outline = value >= 0 && value < 9 ? value + 1 : -1;
      case "trowd" -> paragraphs.inRow(true);
      default -> {
        return false;
      }
    }
    return true;
  }

  /** A word that stands for text or ends a part of it. */
  private void sign(String word, int value) throws IOException, ExtractionException {
    RtfGroup group = group();
    switch (word) {
      case "u" -> {
        text(fonts.symbol((char) value, group.font));
        skip = group.fallback;
      }
      case "tab" -> text("\t");
      case "line", "lbr" -> text("\n");
      case "~" -> text(" ");
      case "_" -> text("-");
      case "emdash" -> text("—");
      case "endash" -> text("–");
      case "lquote" -> text("‘");
      case "rquote" -> text("’");
      case "ldblquote" -> text("“");
      case "rdblquote" -> text("”");
      case "bullet" -> text("•");
      case "emspace", "enspace", "qmspace" -> text(" ");
      case "par", "sect", "page", "column", "cell", "nestcell", "row", "nestrow" -> {
        if (group.isShown() && group.kind != Kind.LABEL) {
          paragraphs.end(word, group, headings.getOrDefault(group.style, -1));
        }
      }
      default -> {}
    }
  }
}
