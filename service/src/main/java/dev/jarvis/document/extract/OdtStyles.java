package dev.jarvis.document.extract;

import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.xml.sax.Attributes;

/** The styles of an OpenDocument text, as far as they matter to its text. */
final class OdtStyles extends XmlHandler {
  private static final int MAX_PARENTS = 20;

  /** How a level of a list is numbered; a bullet has no format. */
  record Level(String format, String prefix, String suffix, int start, int levels) {}

  private final Map<String, String> parents = new HashMap<>();
  private final Set<String> hidden = new HashSet<>();
  private final Set<String> shown = new HashSet<>();
  private final Map<String, Map<Integer, Level>> levels = new HashMap<>();
  private String style = "";
  private String list = "";

  boolean isHidden(@Nullable String name) {
    String next = name;
    for (int i = 0; i < MAX_PARENTS && next != null && !shown.contains(next); i++) {
      if (hidden.contains(next)) {
        return true;
      }
      next = parents.get(next);
    }
    return false;
  }

  /** Returns whether the style is that of the title, or derived from it. */
  boolean isTitle(@Nullable String name) {
    String next = name;
    for (int i = 0; i < MAX_PARENTS && next != null; i++) {
      if (next.equals("Title")) {
        return true;
      }
      next = parents.get(next);
    }
    return false;
  }

  @Nullable Level level(@Nullable String list, int level) {
    return list == null ? null : levels.getOrDefault(list, Map.of()).get(level);
  }

  @Override
  boolean start(String name, Attributes attributes) {
    switch (name) {
      case "style:style" -> {
        style = value(attributes, "name", "");
        String parent = value(attributes, "parent-style-name");
        if (parent != null) {
          parents.put(style, parent);
        }
      }
      case "style:text-properties" -> {
        String display = value(attributes, "display", "");
        if (display.equals("none")) {
          hidden.add(style);
        } else if (!display.isEmpty()) {
          shown.add(style);
        }
      }
      case "style:section-properties" -> {
        if (value(attributes, "display", "").equals("none")) {
          hidden.add(style);
        }
      }
      case "text:list-style", "text:outline-style" -> {
        list = value(attributes, "name", "");
        levels.put(list, new HashMap<>());
      }
      case "text:list-level-style-number", "text:outline-level-style" ->
          levels
              .getOrDefault(list, new HashMap<>())
              .put(
                  number(attributes, "level", 1),
                  new Level(
                      value(attributes, "num-format", ""),
                      value(attributes, "num-prefix", ""),
                      value(attributes, "num-suffix", ""),
                      number(attributes, "start-value", 1),
                      number(attributes, "display-levels", 1)));
      case "office:body" -> {
        return false;
      }
      default -> {}
    }
    return true;
  }
}
