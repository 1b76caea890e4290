package dev.jarvis.provider;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.annotation.JsonDeserialize;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jarvis.gateway.EmbeddingRequest;
import dev.jarvis.gateway.Usage;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The vectors in a model server's answer, as it sent them.
 *
 * @param items null if the answer has no list of vectors
 * @param fields the other fields that are read
 */
@JsonDeserialize(using = VectorListReader.class)
public record VectorList(@Nullable List<Item> items, ObjectNode fields) {

  /**
   * One vector.
   *
   * @param index null if the server gives none
   * @param numbers null if there are none, or they cannot be read
   * @param problem why they cannot be read; null if they are or there are none
   */
  @SuppressWarnings("ArrayRecordComponent") // read once, never compared
  record Item(@Nullable Integer index, float @Nullable [] numbers, @Nullable String problem) {}

  /**
   * The vectors in the order of the inputs.
   *
   * @throws ProviderException if the answer is an error, or a vector is missing or cannot be read
   */
  public List<float[]> vectors(EmbeddingRequest request) throws ProviderException {
    if (items == null || items.isEmpty()) {
      ProviderException error = ModelServerErrors.inAnswer(fields);
      throw error != null
          ? error
          : items == null
              ? LineStream.invalidResponse(new IOException("the response has no list of vectors"))
              : Embeddings.wrongCount(0, request);
    }
    if (items.size() != request.inputs().size()) {
      throw Embeddings.wrongCount(items.size(), request);
    }
    List<float[]> vectors = new ArrayList<>();
    for (Item item : inOrder(items)) {
      String input = "input[" + vectors.size() + "]";
      if (item.problem != null) {
        throw unusable("The vector for " + input + " cannot be read: " + item.problem + ".");
      }
      if (item.numbers == null || item.numbers.length == 0) {
        throw unusable("The model server sent no vector for " + input + ".");
      }
      vectors.add(item.numbers);
    }
    return vectors;
  }

  /** The server's count of input tokens in a field; an estimate if there is none that can be. */
  public static Usage usage(JsonNode count, EmbeddingRequest request) {
    return count.isIntegralNumber() && count.canConvertToInt() && count.intValue() > 0
        ? Usage.counted(count.intValue(), 0)
        : Usage.estimate(request.estimatedTokens());
  }

  /** Servers that give no index, or always the same, send the vectors in order. */
  private static List<Item> inOrder(List<Item> items) throws ProviderException {
    long different = items.stream().map(Item::index).distinct().count();
    if (different == 1) {
      return items;
    }
    int first = items.stream().noneMatch(it -> Integer.valueOf(0).equals(it.index)) ? 1 : 0;
    @Nullable Item[] ordered = new Item[items.size()];
    for (int i = 0; i < ordered.length; i++) {
      Integer index = items.get(i).index;
      int place = index == null ? i : index - first;
      if (place < 0 || place >= ordered.length || ordered[place] != null) {
        throw unusable(
            "The model server sent %d vectors with wrong indexes; 'index' %s stands at position %d."
                .formatted(ordered.length, index, i));
      }
      ordered[place] = items.get(i);
    }
    return Arrays.stream(ordered).map(Item.class::cast).toList();
  }

  private static ProviderException unusable(String message) {
    return new ProviderException.Unavailable(message, null, true);
  }
}
