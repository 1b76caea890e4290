package dev.jarvis.gateway;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.OptionalInt;

/** A request to a model: a chat, or texts to embed. */
public sealed interface Question permits ChatRequest, EmbeddingRequest {

  Operation operation();

  /** The model's name: the client's, or the provider's in a request to a provider. */
  String model();

  /** The request in OpenAI's form, checked; must not be changed. */
  ObjectNode body();

  /** Estimated number of input tokens, for servers that do not count. */
  int estimatedTokens();

  /** Maximum number of output tokens; empty if the request sets no limit. */
  OptionalInt maxTokens();
}
