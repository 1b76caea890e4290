package dev.jarvis.document.extract;

/**
 * A part of a document's text.
 *
 * @param page from 1; 0 if the format has no pages
 * @param heading the headings above the text, the outermost first, as {@code Fees › Boats}; empty
 *     if there are none
 * @param lines whether its lines are units, as the rows of a table and the lines of a program are,
 *     instead of sentences
 */
public record Section(int page, String heading, String text, boolean lines) {
  public static final String HEADING_SEPARATOR = " › ";

  public Section(int page, String heading, String text) {
    this(page, heading, text, false);
  }
}
