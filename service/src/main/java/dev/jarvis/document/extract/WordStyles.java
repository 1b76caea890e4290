package dev.jarvis.document.extract;

import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.xml.sax.Attributes;

/** The styles of a Word document, as far as they matter to its text. */
final class WordStyles extends XmlHandler {
  private static final int MAX_BASES = 20;

  /** What a style sets; the rest is its base's. */
  private static final class Style {
    @Nullable String base;
    @Nullable Integer level;
    @Nullable Boolean hidden;
    @Nullable String list;
    @Nullable Integer listLevel;
  }

  private final Map<String, Style> styles = new HashMap<>();
  private Style style = new Style();

  /** Returns the level of a heading from 0 (that of the title), or -1. */
  int headingLevel(@Nullable String style) {
    return inherited(style, it -> it.level, -1);
  }

  boolean isHidden(@Nullable String style) {
    return inherited(style, it -> it.hidden, false);
  }

  /** Returns the id of the list that paragraphs of the style belong to, or an empty string. */
  String list(@Nullable String style) {
    return inherited(style, it -> it.list, "");
  }

  int listLevel(@Nullable String style) {
    return inherited(style, it -> it.listLevel, 0);
  }

  private <T> T inherited(@Nullable String id, Function<Style, @Nullable T> property, T otherwise) {
    String next = id;
    for (int i = 0; i < MAX_BASES && next != null; i++) {
      Style style = styles.get(next);
      if (style == null) {
        break;
      }
      T value = property.apply(style);
      if (value != null) {
        return value;
      }
      next = style.base;
    }
    return otherwise;
  }

  @Override
  boolean start(String name, Attributes attributes) {
    switch (name) {
      case "w:style" -> {
        style = new Style();
        styles.put(value(attributes, "styleId", ""), style);
      }
      case "w:name" -> {
        String built = value(attributes, "val", "").toLowerCase(Locale.ROOT);
        if (built.equals("title")) {
          style.level = 0;
        } else if (built.matches("heading [1-9]")) {
          style.level = built.charAt(8) - '0';
        }
      }
      case "w:basedOn" -> style.base = value(attributes, "val");
      case "w:outlineLvl" -> style.level = outlineLevel(attributes);
      case "w:vanish" -> style.hidden = isOn(attributes);
      case "w:numId" -> style.list = value(attributes, "val");
      case "w:ilvl" -> style.listLevel = number(attributes, "val", 0);
      case "w:tblStylePr", "w:docDefaults" -> {
        return false;
      }
      default -> {}
    }
    return true;
  }

  /** Returns the level from 1, or -1 for that of plain text. */
  static int outlineLevel(Attributes attributes) {
    int level = number(attributes, "val", 9);
    return level >= 0 && level < 9 ? level + 1 : -1;
  }

  static boolean isOn(Attributes attributes) {
    return !value(attributes, "val", "true").matches("0|false|off|none");
  }
}
