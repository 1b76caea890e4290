package dev.jarvis.document.search;

import dev.jarvis.document.Chunk;
import java.util.UUID;

/**
 * A passage that a search found.
 *
 * @param chunk its place in the document, from 0
 * @param page from 1; 0 where the format has none
 * @param tokens by the rule of thumb
 * @param score 1 for what every ranking put first; comparable within one search only
 * @param trace {@code traceparent} of the processing that made it
 */
public record Passage(
    UUID documentId,
    String filename,
    int chunk,
    int page,
    String text,
    int tokens,
    double score,
    String trace) {

  /** Its beginning, of so many tokens at most. */
  Passage cut(int most) {
    int end = Math.min(text.length(), Chunk.characters(most));
    end -= Character.isHighSurrogate(text.charAt(end - 1)) ? 1 : 0;
    String beginning = text.substring(0, end);
    return new Passage(
        documentId, filename, chunk, page, beginning, Chunk.tokens(beginning), score, trace);
  }

  Passage scored(double score) {
    return new Passage(documentId, filename, chunk, page, text, tokens, score, trace);
  }
}
