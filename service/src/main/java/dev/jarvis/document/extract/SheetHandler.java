package dev.jarvis.document.extract;

import java.io.IOException;
import java.util.BitSet;
import java.util.List;
import org.apache.poi.ss.util.CellReference;
import org.jspecify.annotations.Nullable;
import org.xml.sax.Attributes;

/**
 * Lays the rows of a sheet out. The row that names the columns becomes the heading of all, because
 * it says what the values of a later row mean.
 */
final class SheetHandler extends XmlHandler {
  private static final int MAX_COLUMNS = 16_384;

  /** How many empty cells keep their place; more are as if they were so many. */
  private static final int MAX_GAP = 8;

  /** Names of columns stand below a title, but not far down. */
  private static final int HEADER_ROWS = 10;

  private final TextLayout layout;
  private final String sheet;
  private final List<String> strings;
  private final CellFormats formats;
  private final BitSet hiddenColumns = new BitSet();
  private final StringBuilder value = new StringBuilder();
  private boolean inValue;
  private String type = "";
  private int style;
  private int cell; // the column of the current one
  private int next; // the column after the last filled one
  private int filled;
  private String last = "";
  private boolean values; // other than names
  private int seen;

  SheetHandler(TextLayout layout, String sheet, List<String> strings, CellFormats formats) {
    this.layout = layout;
    this.sheet = sheet;
    this.strings = strings;
    this.formats = formats;
  }

  @Override
  boolean start(String name, Attributes attributes) {
    switch (name) {
      case "x:col" -> {
        if (isHidden(attributes)) {
          int from = Math.clamp(number(attributes, "min", 1) - 1, 0, MAX_COLUMNS);
          hiddenColumns.set(
              from, Math.clamp(number(attributes, "max", from + 1), from, MAX_COLUMNS));
        }
      }
      case "x:row" -> {
        if (isHidden(attributes)) {
          return false;
        }
        next = 0;
        cell = -1;
        filled = 0;
        values = false;
        layout.startRow();
      }
      case "x:c" -> {
        cell = column(value(attributes, "r"), cell + 1);
        type = value(attributes, "t", "n");
        style = number(attributes, "s", 0);
        value.setLength(0);
      }
      case "x:v", "x:t" -> inValue = true;
      case "x:f", "x:rPh", "x:headerFooter" -> {
        return false;
      }
      default -> {}
    }
    return true;
  }

  @Override
  void end(String name) throws IOException, ExtractionException {
    switch (name) {
      case "x:v", "x:t" -> inValue = false;
      case "x:c" -> {
        String shown = shown(value.toString());
        if (!shown.isBlank() && !hiddenColumns.get(cell)) {
          fill(shown);
        }
      }
      case "x:row" -> endRow();
      default -> {}
    }
  }

  @Override
  void text(String text) {
    if (inValue) {
      value.append(text);
    }
  }

  private String shown(String stored) {
    return switch (type) {
      case "s" -> {
        int index = stored.matches("\\d{1,9}") ? Integer.parseInt(stored) : -1;
        yield index >= 0 && index < strings.size() ? strings.get(index) : "";
      }
      case "b" -> stored.equals("1") ? "TRUE" : stored.isEmpty() ? "" : "FALSE";
      case "n", "d" -> formats.format(stored, style);
      default -> stored;
    };
  }

  private void fill(String shown) {
    int gap = cell - next - hiddenColumns.get(next, Math.max(next, cell)).cardinality();
    for (int i = Math.min(MAX_GAP, gap); i > 0; i--) {
      layout.cell("");
    }
    layout.cell(shown);
    last = shown;
    next = cell + 1;
    filled++;
    values |= !type.matches("s|str|inlineStr") || shown.matches("[\\p{Punct}\\p{Sc}\\s\\d]+");
  }

  private void endRow() throws IOException, ExtractionException {
    if (filled == 0) {
      layout.dropRow();
      return;
    }
    if (seen == 0) {
      layout.heading(0, sheet);
    }
    if (filled == 1 && !values) { // a title, wherever it stands
      layout.dropRow();
      layout.startRow();
      layout.cell(last);
    }
    String row = layout.endRow();
    if (seen < HEADER_ROWS) {
      seen++;
      if (filled > 1 && 2 * filled > next && !values) {
        layout.context(1, row.replaceAll("\\|( *\\|)+", "|"));
        seen = HEADER_ROWS;
      }
    }
  }

  private static int column(@Nullable String reference, int otherwise) {
    String letters = reference == null ? "" : reference.replaceAll("[^A-Z].*", "");
    int column =
        letters.isEmpty() || letters.length() > 3
            ? otherwise
            : CellReference.convertColStringToIndex(letters);
    return Math.clamp(column, 0, MAX_COLUMNS);
  }

  private static boolean isHidden(Attributes attributes) {
    return value(attributes, "hidden", "0").matches("1|true");
  }
}
