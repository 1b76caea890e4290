package dev.jarvis.document.extract;

/** What a group of an RTF file inherits from the one around it, and may change until it ends. */
final class RtfGroup {
  /** What becomes of a group's text. */
  enum Kind {
    TEXT,
    LEFT_OUT,
    FONTS,
    STYLES,
    /** The label of a list's item. */
    LABEL,
    NOTE,
    BOX,
    MARGINAL
  }

  Kind kind = Kind.TEXT;

  /** Whether the kind is this group's own, so that its end is that of the kind. */
  boolean begins;

  int font;
  int fallback = 1; // characters after one in Unicode, for old readers
  boolean hidden;
  boolean deleted;
  boolean moved;
  boolean inTable;
  int depth;
  int style;
  int outline = -1;

  RtfGroup copy() {
    RtfGroup copy = new RtfGroup();
    copy.kind = kind;
    copy.font = font;
    copy.fallback = fallback;
    copy.hidden = hidden;
    copy.deleted = deleted;
    copy.moved = moved;
    copy.inTable = inTable;
    copy.depth = depth;
    copy.style = style;
    copy.outline = outline;
    return copy;
  }

  boolean isShown() {
    return !hidden && !deleted && !moved && kind != Kind.LEFT_OUT;
  }

  void plain() {
    hidden = false;
    deleted = false;
    moved = false;
  }

  void newParagraph() {
    inTable = false;
    depth = 0;
    style = 0;
    outline = -1;
  }
}
