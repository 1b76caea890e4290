package dev.jarvis.document.extract;

import java.io.IOException;
import java.io.StringReader;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.regex.Pattern;
import org.apache.commons.csv.CSVFormat;
import org.apache.commons.csv.CSVParser;
import org.apache.commons.csv.CSVRecord;

/**
 * Reads a table of CSV or TSV: each row becomes a line that names its columns, so that a row is
 * understood wherever the text is divided.
 */
final class CsvText {
  private static final char[] DELIMITERS = {',', ';', '\t', '|'};

  /** Rows that are compared to find the delimiter. */
  private static final int SAMPLE_ROWS = 20;

  private static final int SAMPLE_CHARS = 1 << 16;
  private static final Pattern NUMBER = Pattern.compile("(?=\\D{0,9}\\d)[-+\\d.,:/ %]++");
  private static final Pattern SEPARATOR_LINE = Pattern.compile("\\Asep=(.)\\R");

  private CsvText() {}

  static void read(Path file, boolean tabs, SectionWriter writer)
      throws IOException, ExtractionException {
    String text = PlainText.text(file, writer);
    char delimiter = tabs ? '\t' : delimiter(text);
    String table = SEPARATOR_LINE.matcher(text).replaceFirst("");
    try {
      writer.addLines("", lines(table, delimiter, true));
    } catch (UncheckedIOException e) { // a quote that is never closed
      writer.addLines("", lines(table, delimiter, false));
    }
  }

  private static String lines(String table, char delimiter, boolean quotes) throws IOException {
    try (CSVParser rows = parser(table, delimiter, quotes)) {
      return lines(rows.iterator());
    }
  }

  private static String lines(Iterator<CSVRecord> rows) {
    List<String> header = List.of();
    StringBuilder lines = new StringBuilder();
    if (rows.hasNext()) {
      CSVRecord first = rows.next();
      if (isHeader(first) && rows.hasNext()) {
        header = first.stream().map(TextLayout::oneLine).toList();
      } else {
        lines.append(line(first, header)).append('\n');
      }
    }
    while (rows.hasNext()) {
      lines.append(line(rows.next(), header)).append('\n');
    }
    return lines.toString();
  }

  private static CSVParser parser(String text, char delimiter, boolean quotes) throws IOException {
    return CSVFormat.DEFAULT
        .builder()
        .setDelimiter(delimiter)
        .setIgnoreEmptyLines(true)
        .setTrailingData(true)
        .setQuote(quotes ? '"' : null)
        .get()
        .parse(new StringReader(text));
  }

  /** Returns the delimiter that divides the first rows into the most columns, equally many. */
  static char delimiter(String text) {
    var separator = SEPARATOR_LINE.matcher(text); // Excel's
    if (separator.find()) {
      return separator.group(1).charAt(0);
    }
    String sample = text.substring(0, Math.min(text.length(), SAMPLE_CHARS));
    char best = ',';
    double bestScore = 0;
    for (char delimiter : DELIMITERS) {
      double score = score(sample, delimiter);
      if (score > bestScore) {
        best = delimiter;
        bestScore = score;
      }
    }
    return best;
  }

  private static double score(String sample, char delimiter) {
    List<Integer> columns = new ArrayList<>();
    try (CSVParser rows = parser(sample, delimiter, true)) {
      Iterator<CSVRecord> all = rows.iterator();
      while (all.hasNext() && columns.size() < SAMPLE_ROWS) {
        columns.add(all.next().size());
      }
    } catch (IOException | RuntimeException e) {
      return 0;
    }
    int first = columns.isEmpty() ? 0 : columns.getFirst();
    long same = columns.stream().filter(it -> it == first).count();
    return first < 2 ? 0 : (double) same / columns.size() + first / 1_000.0;
  }

  /** Names of columns are words, each once. */
  private static boolean isHeader(CSVRecord row) {
    HashSet<String> names = new HashSet<>();
    for (String cell : row) {
      String name = cell.strip();
      if (!name.isEmpty() && (!names.add(name) || NUMBER.matcher(name).matches())) {
        return false;
      }
    }
    return names.size() > row.size() / 2;
  }

  private static String line(CSVRecord row, List<String> header) {
    StringBuilder line = new StringBuilder();
    for (int i = 0; i < row.size(); i++) {
      String cell = TextLayout.oneLine(row.get(i));
      if (!cell.isEmpty()) {
        line.append(line.isEmpty() ? "" : TextLayout.CELLS);
        if (i < header.size() && !header.get(i).isEmpty()) {
          line.append(header.get(i)).append(": ");
        }
        line.append(cell);
      }
    }
    return line.toString();
  }
}
