package dev.jarvis.document;

import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Turns texts into vectors by a configured model. */
public interface Embedder {
  /**
   * Vectors of texts.
   *
   * @param model that made them: vectors of two models cannot be compared
   * @param vectors one for each text, in their order
   */
  record Vectors(String model, List<float[]> vectors) {}

  /**
   * Asks the model. What it costs is recorded as the user's.
   *
   * @param limit how long each model server that is asked may take; null for its own limit
   * @throws dev.jarvis.error.ApiException if the model cannot be asked or refuses
   */
  Vectors embed(List<String> texts, String userId, String requestId, @Nullable Duration limit);
}
