package dev.jarvis.document;

import dev.jarvis.document.extract.Section;

/**
 * A passage of a document's text.
 *
 * @param ordinal position in the document, from 0
 * @param page from 1; 0 if the format has no pages
 * @param heading the headings above it, the outermost first; empty if there are none
 * @param tokens estimated at four characters each
 */
public record Chunk(int ordinal, int page, String heading, String text, int tokens) {
  /** OpenAI's rule of thumb for English. */
  private static final int CHARACTERS_PER_TOKEN = 4;

  static int tokens(String text) {
    return Math.ceilDiv(text.length(), CHARACTERS_PER_TOKEN);
  }

  static int characters(int tokens) {
    return tokens * CHARACTERS_PER_TOKEN;
  }

  /**
   * Returns the text with the headings above it, which often name what it is about. The innermost
   * is left out if the text begins with it.
   */
  public String inContext() {
    String above = beginsWithInnermost() ? heading.substring(0, outerLength()) : heading;
    return above.isEmpty() ? text : above + "\n" + text;
  }

  private boolean beginsWithInnermost() {
    int inner = heading.lastIndexOf(Section.HEADING_SEPARATOR);
    String last =
        inner < 0 ? heading : heading.substring(inner + Section.HEADING_SEPARATOR.length());
    return text.startsWith(last)
        && (text.length() == last.length() || Character.isWhitespace(text.charAt(last.length())));
  }

  private int outerLength() {
    return Math.max(0, heading.lastIndexOf(Section.HEADING_SEPARATOR));
  }

  /** Returns the estimated number of tokens of the text with the headings above it. */
  public int tokensInContext() {
    return tokens(inContext());
  }

  /**
   * Returns the beginning of the passage, which has at most so many tokens with the headings above
   * it. It has no headings if they leave less than half to the text.
   */
  public Chunk truncated(int maxTokens) {
    int room = characters(maxTokens) - (heading.isEmpty() ? 0 : heading.length() + 1);
    boolean headed = room >= characters(maxTokens) / 2;
    int end = Math.min(text.length(), headed ? room : characters(maxTokens));
    end -= Character.isHighSurrogate(text.charAt(end - 1)) ? 1 : 0;
    String beginning = text.substring(0, end);
    return new Chunk(ordinal, page, headed ? heading : "", beginning, tokens(beginning));
  }
}
