package dev.jarvis.provider;

import dev.jarvis.gateway.EmbeddingRequest;
import dev.jarvis.gateway.Timings;
import dev.jarvis.gateway.Usage;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The vectors of the inputs of a request.
 *
 * @param vectors one for each input, in the same order
 * @param usage input tokens only
 * @param timings null if the provider reports none
 */
public record Embeddings(List<float[]> vectors, Usage usage, @Nullable Timings timings) {

  /**
   * Checks that the vectors are those that were requested.
   *
   * @throws ProviderException.Refused if their length is not the requested one
   * @throws ProviderException.Unavailable if vectors are missing or their lengths differ
   */
  public Embeddings checked(EmbeddingRequest request) throws ProviderException {
    if (vectors.size() != request.inputs().size()) {
      throw wrongCount(vectors.size(), request);
    }
    int length = vectors.getFirst().length;
    for (float[] vector : vectors) {
      if (vector.length != length) {
        throw new ProviderException.Unavailable(
            "The model server sent vectors of different lengths: %d and %d numbers."
                .formatted(length, vector.length),
            null,
            true);
      }
    }
    checkDimensions(request, length);
    return this;
  }

  /**
   * Checks that vectors have the requested length.
   *
   * @throws ProviderException.Refused if they do not
   */
  public static void checkDimensions(EmbeddingRequest request, int length)
      throws ProviderException {
    if (request.dimensions().orElse(length) != length) {
      throw new ProviderException.Refused(
          "'dimensions' is %d; this model only supports vectors of %d numbers."
              .formatted(request.dimensions().getAsInt(), length),
          ProviderException.Refusal.of("dimensions"),
          null);
    }
  }

  static ProviderException wrongCount(int count, EmbeddingRequest request) {
    return new ProviderException.Unavailable(
        "The model server sent %d vectors for %d inputs.".formatted(count, request.inputs().size()),
        null,
        true);
  }
}
