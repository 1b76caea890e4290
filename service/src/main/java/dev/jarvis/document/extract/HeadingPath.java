package dev.jarvis.document.extract;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/** The headings above a place in a document. */
final class HeadingPath {
  static final String SEPARATOR = " › ";

  private record Level(int level, String text) {}

  private final Deque<Level> path = new ArrayDeque<>();

  /** Enters what is below a heading, which ends what is below those of its level and deeper. */
  void enter(int level, String text) {
    while (!path.isEmpty() && path.getLast().level >= level) {
      path.removeLast();
    }
    path.addLast(new Level(level, text.replaceAll("\\s+", " ")));
  }

  String last() {
    return path.isEmpty() ? "" : path.getLast().text;
  }

  /** Returns the path without its last heading. */
  String parent() {
    List<String> texts = new ArrayList<>(texts());
    texts.removeLast();
    return String.join(SEPARATOR, texts);
  }

  @Override
  public String toString() {
    return String.join(SEPARATOR, texts());
  }

  private List<String> texts() {
    return path.stream().map(Level::text).filter(it -> !it.isEmpty()).toList();
  }
}
