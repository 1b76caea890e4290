package dev.jarvis.provider;

import dev.jarvis.gateway.EmbeddingRequest;
import dev.jarvis.gateway.Timings;
import dev.jarvis.gateway.Usage;
import java.util.List;
import java.util.Objects;
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
   * @throws ProviderException.Unavailable if vectors are missing
   */
  public Embeddings checked(EmbeddingRequest request) throws ProviderException {
    int expected = request.inputs().size();
    // a model server's JSON may contain null instead of a vector
    if (vectors.size() != expected
        || vectors.stream().anyMatch(it -> Objects.isNull(it) || it.length == 0)) {
      throw new ProviderException.Unavailable(
          "The model server sent %d vectors for %d inputs.".formatted(vectors.size(), expected),
          null,
          true);
    }
    int length = vectors.getFirst().length;
    if (request.dimensions().orElse(length) != length) {
      throw new ProviderException.Refused(
          "'dimensions' is %d; this model only supports vectors of %d numbers."
              .formatted(request.dimensions().getAsInt(), length));
    }
    return this;
  }
}
