package dev.jarvis.provider;

import dev.jarvis.gateway.EmbeddingRequest;
import dev.jarvis.gateway.Timings;
import dev.jarvis.gateway.Usage;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Texts as vectors.
 *
 * @param vectors one for each input, in their order
 * @param usage by the model server's own count; no output
 * @param timings null from a provider that tells none
 */
public record Embeddings(List<float[]> vectors, Usage usage, @Nullable Timings timings) {

  /**
   * Checks that these are what was asked for.
   *
   * @throws ProviderException.Refused if the model gives vectors of another length than was asked
   *     for
   * @throws ProviderException.Unavailable if vectors are missing
   */
  public Embeddings checked(EmbeddingRequest request) throws ProviderException {
    int expected = request.inputs().size();
    // a model server's JSON may have null among them
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
          "The model gives vectors of %d numbers; 'dimensions' cannot be %d."
              .formatted(length, request.dimensions().getAsInt()));
    }
    return this;
  }
}
