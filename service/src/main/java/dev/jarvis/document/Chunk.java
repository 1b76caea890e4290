package dev.jarvis.document;

/**
 * A passage of a document.
 *
 * @param ordinal from 0
 * @param page from 1; 0 where the format has none
 * @param tokens by the rule of thumb
 */
public record Chunk(int ordinal, int page, String text, int tokens) {
  /** OpenAI's rule of thumb for English. */
  private static final int CHARACTERS_OF_A_TOKEN = 4;

  public static int tokens(String text) {
    return Math.ceilDiv(text.length(), CHARACTERS_OF_A_TOKEN);
  }

  public static int characters(int tokens) {
    return tokens * CHARACTERS_OF_A_TOKEN;
  }
}
