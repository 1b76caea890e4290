package dev.jarvis.document;

import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Turns texts into vectors with the configured embedding model. */
public interface Embedder {
  /**
   * The vectors of texts.
   *
   * @param model the model that computed them; vectors of different models cannot be compared
   * @param vectors one for each text, in the same order
   */
  record Vectors(String model, List<float[]> vectors) {}

  /**
   * Computes vectors. The user is charged for it.
   *
   * @param limit how long each attempt at a provider may take; null for the provider's own limit
   * @throws dev.jarvis.error.ApiException if no provider computes them
   */
  Vectors embed(List<String> texts, String userId, String requestId, @Nullable Duration limit);

  /** How much of a text the model reads; null if it is not known. */
  default @Nullable EmbeddingWindow window() {
    return null;
  }
}
