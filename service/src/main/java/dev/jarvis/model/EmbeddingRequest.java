package dev.jarvis.model;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jarvis.model.ChatStream.Usage;
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
public record EmbeddingRequest(String model, ObjectNode body, @Nullable Duration limit) {

  /** The same, asked of another name: a public name becomes the provider's. */
  public EmbeddingRequest withModel(String name) {
    return new EmbeddingRequest(name, body, limit);
  }

  /** The texts; never empty. Each may be a list of tokens instead. */
  public JsonNode inputs() {
    return body.path("input");
  }

  /** Whether they are tokens of the model's own. */
  boolean inTokens() {
    return inputs().path(0).isArray();
  }

  /** About how many tokens the inputs have, for a server that does not tell. */
  public Usage estimatedUsage() {
    long tokens = 0;
    for (JsonNode input : inputs()) {
      tokens += input.isArray() ? input.size() : ChatRequest.tokens(input.asText().length());
    }
    return new Usage((int) Math.min(tokens, Integer.MAX_VALUE), 0, 0, true);
  }

  /** How many numbers a vector is to have; the model's own number where absent. */
  public OptionalInt dimensions() {
    JsonNode value = body.path("dimensions");
    return value.isInt() ? OptionalInt.of(value.intValue()) : OptionalInt.empty();
  }
}
