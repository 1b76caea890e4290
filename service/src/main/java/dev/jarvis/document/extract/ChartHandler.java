package dev.jarvis.document.extract;

import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import java.util.TreeSet;
import org.xml.sax.Attributes;

/** Reads a chart as its titles and a table: a row for each category, a column for each series. */
final class ChartHandler extends XmlHandler {
  /** A series: its name, and its categories and values by their positions. */
  private record Series(
      StringBuilder name, TreeMap<Integer, String> categories, TreeMap<Integer, String> values) {
    Series() {
      this(new StringBuilder(), new TreeMap<>(), new TreeMap<>());
    }
  }

  private final List<String> titles = new ArrayList<>();
  private final List<Series> series = new ArrayList<>();
  private final StringBuilder text = new StringBuilder();
  private Series current = new Series();
  private String role = "";
  private int point;
  private boolean inText;
  private boolean inTitle;

  /** Returns the text; empty if the chart has none. */
  String text() {
    List<String> lines = new ArrayList<>(titles);
    List<String> names = series.stream().map(it -> it.name.toString().strip()).toList();
    TreeSet<Integer> points = new TreeSet<>();
    series.forEach(it -> points.addAll(it.values.keySet()));
    if (!points.isEmpty()) {
      lines.add((TextLayout.CELLS + String.join(TextLayout.CELLS, names)).strip());
    }
    for (int at : points) {
      List<String> row = new ArrayList<>();
      row.add(series.getFirst().categories.getOrDefault(at, ""));
      series.forEach(it -> row.add(it.values.getOrDefault(at, "")));
      lines.add(String.join(TextLayout.CELLS, row).strip());
    }
    return String.join("\n", lines);
  }

  @Override
  boolean start(String name, Attributes attributes) {
    switch (name) {
      case "c:title" -> {
        inTitle = true;
        text.setLength(0);
      }
      case "c:ser" -> {
        current = new Series();
        series.add(current);
      }
      case "c:tx", "c:cat", "c:val", "c:xVal", "c:yVal" -> role = name;
      case "c:pt" -> point = number(attributes, "idx", 0);
      case "c:v", "a:t" -> {
        inText = true;
        if (!inTitle) {
          text.setLength(0);
        }
      }
      case "a:p", "a:br" -> text.append(' ');
      case "c:txPr", "c:spPr", "c:bubbleSize" -> {
        return false;
      }
      default -> {}
    }
    return true;
  }

  @Override
  void end(String name) {
    switch (name) {
      case "c:title" -> {
        inTitle = false;
        if (!text.toString().isBlank()) {
          titles.add(TextLayout.oneLine(text.toString()));
        }
      }
      case "a:t" -> inText = false;
      case "c:v" -> {
        inText = false;
        if (!inTitle) {
          value(text.toString().strip());
        }
      }
      default -> {}
    }
  }

  private void value(String value) {
    switch (role) {
      case "c:tx" -> current.name.append(value).append(' ');
      case "c:cat", "c:xVal" ->
          current.categories.merge(point, value, (inner, outer) -> outer + " " + inner);
      case "c:val", "c:yVal" -> current.values.put(point, value);
      default -> {}
    }
  }

  @Override
  void text(String chars) {
    if (inText) {
      text.append(chars);
    }
  }
}
