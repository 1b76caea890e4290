package dev.jarvis.gateway;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.time.Duration;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/**
 * Texts to be turned into vectors.
 *
 * @param model the model's name at its provider; that in the body is the client's
 * @param body the request in OpenAI's form, checked, its {@code input} an array; not to be changed
 * @param limit how long a model server may take; null for its own limit, which is never exceeded
 */
public record EmbeddingRequest(String model, ObjectNode body, @Nullable Duration limit)
    implements Question {

  @Override
  public Operation operation() {
    return Operation.EMBEDDINGS;
  }

  /** Vectors are no tokens. */
  @Override
  public OptionalInt maxTokens() {
    return OptionalInt.empty();
  }

  /** The same, asked of another name: a public name becomes the provider's. */
  public EmbeddingRequest withModel(String name) {
    return new EmbeddingRequest(name, body, limit);
  }

  /** The same with a limit that is no longer than the given one. */
  public EmbeddingRequest within(Duration longest) {
    return limit != null && limit.compareTo(longest) <= 0
        ? this
        : new EmbeddingRequest(model, body, longest);
  }

  /** The texts; never empty. Each may be a list of tokens instead. */
  public JsonNode inputs() {
    return body.path("input");
  }

  /** Whether they are tokens of the model's own. */
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

  /** How many numbers a vector is to have; the model's own number where absent. */
  public OptionalInt dimensions() {
    JsonNode value = body.path("dimensions");
    return value.isInt() ? OptionalInt.of(value.intValue()) : OptionalInt.empty();
  }
}
