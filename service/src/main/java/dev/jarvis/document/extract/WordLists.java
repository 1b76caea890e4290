package dev.jarvis.document.extract;

import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.xml.sax.Attributes;

/** The lists of a Word document: counts their items and returns their numbers. */
final class WordLists extends XmlHandler {
  private static final int LEVELS = 9;

  /** How one level is numbered, as {@code %1.%2} in {@code decimal}. */
  private static final class Level {
    String format = "decimal";
    String text = "";
    int start = 1;
  }

  private static final class Definition {
    final Level[] levels = new Level[LEVELS];
    final int[] counts = new int[LEVELS];

    Definition() {
      Arrays.setAll(levels, i -> new Level());
    }
  }

  private final Map<String, Definition> definitions = new HashMap<>();
  private final Map<String, Definition> lists = new HashMap<>();
  private final Map<String, Map<Integer, Integer>> restarts = new HashMap<>();
  private Definition definition = new Definition();
  private Level level = new Level();
  private String list = "";
  private int override = -1;

  @Override
  boolean start(String name, Attributes attributes) {
    switch (name) {
      case "w:abstractNum" -> {
        definition = new Definition();
        definitions.put(value(attributes, "abstractNumId", ""), definition);
      }
      case "w:lvl" -> {
        int index = Math.clamp(number(attributes, "ilvl", 0), 0, LEVELS - 1);
        level = new Level();
        if (override < 0) {
          definition.levels[index] = level;
        }
      }
      case "w:start" -> level.start = number(attributes, "val", 1);
      case "w:numFmt" -> level.format = value(attributes, "val", "decimal");
      case "w:lvlText" -> level.text = value(attributes, "val", "");
      case "w:num" -> list = value(attributes, "numId", "");
      case "w:abstractNumId" -> {
        Definition found = definitions.get(value(attributes, "val", ""));
        if (found != null) {
          lists.put(list, found);
        }
      }
      case "w:lvlOverride" -> override = Math.clamp(number(attributes, "ilvl", 0), 0, LEVELS - 1);
      case "w:startOverride" ->
          restarts
              .computeIfAbsent(list, id -> new HashMap<>())
              .put(override, number(attributes, "val", 1));
      default -> {}
    }
    return true;
  }

  @Override
  void end(String name) {
    if (name.equals("w:lvlOverride")) {
      override = -1;
    }
  }

  /** Counts an item and returns what is shown before it; empty if it is in no list. */
  String next(@Nullable String id, int at) {
    Definition found = id == null ? null : lists.get(id);
    if (found == null) {
      return "";
    }
    int index = Math.clamp(at, 0, LEVELS - 1);
    Level shown = found.levels[index];
    if (shown.format.equals("none")) {
      return "";
    }
    if (shown.format.equals("bullet")) {
      return "- ";
    }
    Map<Integer, Integer> restart = restarts.getOrDefault(id, Map.of());
    if (restart.containsKey(index)) { // once
      found.counts[index] = restart.get(index) - 1;
      restart.remove(index);
    } else if (found.counts[index] == 0) {
      found.counts[index] = shown.start - 1;
    }
    found.counts[index]++;
    for (int i = index + 1; i < LEVELS; i++) {
      found.counts[i] = 0;
    }
    return label(found, shown.text);
  }

  private static String label(Definition found, String pattern) {
    String label = pattern;
    for (int i = 0; i < LEVELS; i++) {
      Level part = found.levels[i];
      int count = Math.max(found.counts[i], part.start);
      label = label.replace("%" + (i + 1), Numerals.of(count, part.format));
    }
    return label.isBlank() ? "" : label.strip() + " ";
  }
}
