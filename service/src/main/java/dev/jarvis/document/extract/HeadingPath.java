package dev.jarvis.document.extract;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/** The headings above a place in a document. */
final class HeadingPath {
  /** A longer one is a paragraph that only looks like a heading. */
  static final int MAX_CHARS = 200;

  private record Level(int level, String text) {}

  private final Deque<Level> path = new ArrayDeque<>();

  /** Enters what is below a heading, which ends what is below those of its level and deeper. */
  void enter(int level, String text) {
    while (!path.isEmpty() && path.getLast().level >= level) {
      path.removeLast();
    }
    path.addLast(new Level(level, shortened(text.replaceAll("\\s+", " "))));
  }

  /** Returns the beginning of a long heading. */
  static String shortened(String heading) {
    int end = Math.min(heading.length(), MAX_CHARS - 1);
    end -= end > 0 && Character.isHighSurrogate(heading.charAt(end - 1)) ? 1 : 0;
    return heading.length() > MAX_CHARS ? heading.substring(0, end) + "…" : heading;
  }

  String last() {
    return path.isEmpty() ? "" : path.getLast().text;
  }

  /** Returns the path without its last heading. */
  String parent() {
    List<String> texts = new ArrayList<>(texts());
    texts.removeLast();
    return String.join(Section.HEADING_SEPARATOR, texts);
  }

  @Override
  public String toString() {
    return String.join(Section.HEADING_SEPARATOR, texts());
  }

  private List<String> texts() {
    return path.stream().map(Level::text).filter(it -> !it.isEmpty()).toList();
  }
}
