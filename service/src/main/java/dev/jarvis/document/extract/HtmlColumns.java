package dev.jarvis.document.extract;

import java.io.IOException;
import java.util.Arrays;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jsoup.nodes.Element;

/**
 * The columns of an HTML table, of which a cell may take several ({@code colspan}) in several rows
 * ({@code rowspan}). Adds an empty cell for each place that such a cell takes beside its first.
 */
final class HtmlColumns {
  /** Cells further to the right take one place. */
  private static final int MAX_COLUMNS = 256;

  /** As browsers read numbers, which may be followed by anything. */
  private static final Pattern NUMBER = Pattern.compile("\\A\\s*\\+?(\\d{1,9})");

  private final TextLayout layout;

  /** For each column, how many of the next rows a cell above covers. */
  private final int[] covered = new int[MAX_COLUMNS];

  private int maxSpan = 1;
  private int column;

  HtmlColumns(TextLayout layout) {
    this.layout = layout;
  }

  void startTable(Element table) {
    // one cell over the whole width often claims to take 100 columns
    maxSpan = table.select("tr").stream().mapToInt(Element::childrenSize).max().orElse(1);
  }

  /** Begins or ends a table or a group of rows, at whose end all cells end. */
  void startRows() {
    Arrays.fill(covered, 0);
  }

  void startRow() {
    column = 0;
    layout.startRow();
  }

  void startCell() {
    while (column < MAX_COLUMNS && covered[column] > 0) {
      covered[column++]--;
      layout.cell("");
    }
    layout.startCell();
  }

  void endCell(Element cell) throws IOException, ExtractionException {
    layout.endCell();
    int columns = Math.clamp(number(cell.attr("colspan")), 1, Math.max(1, maxSpan));
    int rows = number(cell.attr("rowspan"));
    int end = Math.min(MAX_COLUMNS, column + columns);
    for (int i = column; i < end; i++) {
      covered[i] = rows == 0 ? Integer.MAX_VALUE : rows - 1; // 0 is up to the group's end
      if (i > column) {
        layout.cell("");
      }
    }
    column = end;
  }

  void endRow() throws IOException, ExtractionException {
    for (int i = column; i < MAX_COLUMNS; i++) {
      covered[i] = Math.max(0, covered[i] - 1);
    }
    layout.endRow();
  }

  private static int number(String text) {
    Matcher number = NUMBER.matcher(text);
    return number.find() ? Integer.parseInt(number.group(1)) : 1;
  }
}
