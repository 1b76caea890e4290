package dev.jarvis.gateway;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.time.Duration;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/**
 * Texts to embed.
 *
 * @param model the model's name at its provider; the body holds the client's name for it
 * @param body the request in OpenAI's form, checked, its {@code input} an array; must not be
 *     changed
 * @param onlyModel the provider's name of the only model that may answer; null for any of a route's
 * @param limit how long the model server may take, within the provider's own limit; null for no
 *     further limit
 */
public record EmbeddingRequest(
    String model, ObjectNode body, @Nullable String onlyModel, @Nullable Duration limit)
    implements Question {

  /** A request that any model of a route may answer. */
  public EmbeddingRequest(String model, ObjectNode body, @Nullable Duration limit) {
    this(model, body, null, limit);
  }

  @Override
  public Operation operation() {
    return Operation.EMBEDDINGS;
  }

  /** Always empty: vectors are not tokens. */
  @Override
  public OptionalInt maxTokens() {
    return OptionalInt.empty();
  }

  /** The same request under another model name: the provider's instead of the public one. */
  public EmbeddingRequest withModel(String name) {
    return new EmbeddingRequest(name, body, onlyModel, limit);
  }

  /** The same request with a limit of at most the given one. */
  public EmbeddingRequest within(Duration longest) {
    return limit != null && limit.compareTo(longest) <= 0
        ? this
        : new EmbeddingRequest(model, body, onlyModel, longest);
  }

  /** The texts; never empty. Each may be a list of tokens instead. */
  public JsonNode inputs() {
    return body.path("input");
  }

  /** Whether the inputs are lists of the model's tokens instead of texts. */
  public boolean inTokens() {
    return inputs().path(0).isArray();
  }

  @Override
  public int estimatedTokens() {
    long tokens = 0;
    for (JsonNode input : inputs()) {
      tokens += input.isArray() ? input.size() : ChatRequest.tokens(input.asText().length());
    }
    return (int) Math.min(tokens, Integer.MAX_VALUE);
  }

  /** The requested length of each vector; the model's default if absent. */
  public OptionalInt dimensions() {
    JsonNode value = body.path("dimensions");
    return value.canConvertToInt() ? OptionalInt.of(value.intValue()) : OptionalInt.empty();
  }
}
