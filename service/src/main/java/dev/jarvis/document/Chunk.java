package dev.jarvis.document;

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

  /** Returns the text with the headings above it, which often name what it is about. */
  public String inContext() {
    return heading.isEmpty() ? text : heading + "\n" + text;
  }

  /** Returns the beginning of the passage, of at most so many tokens. */
  public Chunk truncated(int maxTokens) {
    int end = Math.min(text.length(), characters(maxTokens));
    end -= Character.isHighSurrogate(text.charAt(end - 1)) ? 1 : 0;
    String beginning = text.substring(0, end);
    return new Chunk(ordinal, page, heading, beginning, tokens(beginning));
  }
}
