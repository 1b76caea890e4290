package dev.jarvis.document;

/** How much text the embedding model of documents reads at once, counted by its own tokenizer. */
public interface EmbeddingWindow {

  /** The maximum number of tokens of a text. */
  int tokens();

  /** Returns the number of tokens of a text. Tokens never span white space. */
  int count(String text);

  /** Returns the length in characters of the longest beginning of so many tokens. */
  int fit(String text, int maxTokens);

  /** Returns the end of a text, as much as the model reads. */
  default String end(String text) {
    String end = text;
    for (int excess = count(end) - tokens(); excess > 0; excess = count(end) - tokens()) {
      end = end.substring(Math.max(1, fit(end, excess)));
    }
    return end;
  }
}
