package dev.jarvis.document;

import dev.jarvis.gateway.Caller;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
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
   * Who pays for vectors.
   *
   * @param caller null for the owner of a file, who asks for nothing now
   * @param parentId the id of the call that needs them; null if none does
   */
  record Payer(String userId, @Nullable Caller caller, @Nullable UUID parentId) {
    /** The owner of a file. */
    public static Payer owner(String userId) {
      return new Payer(userId, null, null);
    }

    /** Whoever asks now. */
    public static Payer of(Caller caller, @Nullable UUID parentId) {
      return new Payer(caller.userId(), caller, parentId);
    }
  }

  /**
   * Computes vectors.
   *
   * @param payer is charged for it
   * @param model of the vectors that these must be comparable with: no other one is asked; null for
   *     any that the configuration allows
   * @param limit how long each attempt at a provider may take; null for the provider's own limit
   * @throws dev.jarvis.error.ApiException if no provider computes them; {@code NotFound} if none
   *     has the model
   */
  Vectors embed(
      List<String> texts,
      Payer payer,
      String requestId,
      @Nullable String model,
      @Nullable Duration limit);

  /** How much of a text the model reads; null if it is not known. */
  default @Nullable EmbeddingWindow window() {
    return null;
  }
}
