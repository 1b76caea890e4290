package dev.jarvis.document.search;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jarvis.document.Chunk;
import dev.jarvis.json.Json;
import java.time.Instant;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * A passage that a search found.
 *
 * @param score 1 if every ranking put the passage first; comparable within one search only
 * @param trace {@code traceparent} of the processing of the document
 */
record Passage(UUID documentId, File file, Chunk chunk, double score, String trace) {
  /**
   * The file of the passage.
   *
   * @param language ISO 639-1; null if it is uncertain
   */
  record File(
      String name,
      String mediaType,
      String purpose,
      @Nullable String language,
      long bytes,
      Instant createdAt) {}

  String filename() {
    return file.name();
  }

  /** The values that filters compare, besides the id and the name of the file. */
  ObjectNode attributes() {
    ObjectNode attributes =
        Json.object()
            .put(Attribute.MEDIA_TYPE.key(), file.mediaType())
            .put(Attribute.PURPOSE.key(), file.purpose());
    if (file.language() != null) {
      attributes.put(Attribute.LANGUAGE.key(), file.language());
    }
    return attributes
        .put(Attribute.BYTES.key(), file.bytes())
        .put(Attribute.CREATED_AT.key(), file.createdAt().getEpochSecond());
  }

  /** Returns the beginning of the passage, of at most so many tokens. */
  Passage truncated(int maxTokens) {
    return new Passage(documentId, file, chunk.truncated(maxTokens), score, trace);
  }

  Passage scored(double score) {
    return new Passage(documentId, file, chunk, score, trace);
  }
}
