package dev.jarvis.document.extract;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.xml.sax.Attributes;

/** Counts the items of an OpenDocument text's lists. */
final class OdtLists {
  private static final int MAX_LEVELS = 10;

  /** A list that is open, and the counts of its levels, which nested lists share. */
  private static final class Open {
    final @Nullable String style;
    final int[] counts;

    Open(@Nullable String style, int[] counts) {
      this.style = style;
      this.counts = counts;
    }
  }

  private final OdtStyles styles;
  private final Deque<Open> open = new ArrayDeque<>();

  /** The counts of a style's last list, which another one may continue. */
  private final Map<String, int[]> last = new HashMap<>();

  private final Map<String, int[]> byId = new HashMap<>();

  OdtLists(OdtStyles styles) {
    this.styles = styles;
  }

  void start(Attributes attributes) {
    Open outer = open.peek();
    String own = XmlHandler.value(attributes, "style-name");
    String style = own != null ? own : outer == null ? null : outer.style;
    int[] counts = new int[MAX_LEVELS + 1];
    if (outer != null) {
      counts = outer.counts;
      if (level() < MAX_LEVELS) {
        counts[level() + 1] = 0;
      }
    } else {
      String continued = XmlHandler.value(attributes, "continue-list");
      if (continued != null && byId.containsKey(continued)) {
        counts = byId.get(continued);
      } else if (XmlHandler.value(attributes, "continue-numbering", "").equals("true")
          && style != null
          && last.containsKey(style)) {
        counts = last.get(style);
      }
    }
    String id = XmlHandler.value(attributes, "id");
    if (id != null) {
      byId.put(id, counts);
    }
    if (style != null) {
      last.put(style, counts);
    }
    open.push(new Open(style, counts));
  }

  void end() {
    open.pop();
  }

  boolean isEmpty() {
    return open.isEmpty();
  }

  /** Counts an item and returns what is shown before it. */
  String next(Attributes attributes) {
    Open list = open.peek();
    if (list == null) {
      return "- ";
    }
    int level = level();
    OdtStyles.Level style = styles.level(list.style, level);
    if (style == null || level > MAX_LEVELS) {
      return "- ";
    }
    int before = list.counts[level] == 0 ? style.start() - 1 : list.counts[level];
    list.counts[level] = XmlHandler.number(attributes, "start-value", before + 1);
    for (int i = level + 1; i <= MAX_LEVELS; i++) {
      list.counts[i] = 0;
    }
    if (style.format().isEmpty()) {
      return "";
    }
    StringBuilder label = new StringBuilder(style.prefix());
    for (int i = Math.max(1, level - style.levels() + 1); i <= level; i++) {
      OdtStyles.Level part = styles.level(list.style, i);
      if (part != null && !part.format().isEmpty()) {
        label.append(Numerals.of(Math.max(1, list.counts[i]), part.format()));
        label.append(i < level ? "." : "");
      }
    }
    return label.append(style.suffix()).append(' ').toString();
  }

  private int level() {
    return open.size();
  }
}
