package dev.jarvis.document.search;

import dev.jarvis.document.Chunk;
import java.util.UUID;

/**
 * A passage that a search found.
 *
 * @param score 1 if every ranking put the passage first; comparable within one search only
 * @param trace {@code traceparent} of the processing of the document
 */
record Passage(UUID documentId, String filename, Chunk chunk, double score, String trace) {

  /** Returns the beginning of the passage, of at most so many tokens. */
  Passage truncated(int maxTokens) {
    return new Passage(documentId, filename, chunk.truncated(maxTokens), score, trace);
  }

  Passage scored(double score) {
    return new Passage(documentId, filename, chunk, score, trace);
  }
}
