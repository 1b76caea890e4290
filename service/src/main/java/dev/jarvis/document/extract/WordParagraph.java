package dev.jarvis.document.extract;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A paragraph of a Word document while it is read. */
final class WordParagraph {
  @Nullable String style;
  @Nullable String list;
  @Nullable Integer listLevel;
  @Nullable Integer outline;

  /** Text boxes and notes, which follow it. */
  final List<String> later = new ArrayList<>();

  /** Whether it has text. */
  boolean begun;

  boolean heading;

  /** Whether the current run is hidden. */
  boolean hidden;

  /** Whether the next paragraph continues it, because its end was deleted or is hidden. */
  boolean joined;

  /** Returns the level of a heading from 0, or -1. */
  int level(WordStyles styles) {
    return outline == null ? styles.headingLevel(style) : outline;
  }
}
