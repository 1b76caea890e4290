package dev.jarvis.gateway;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.OptionalInt;

/** What a model is asked. */
public sealed interface Question permits ChatRequest, EmbeddingRequest {

  Operation operation();

  /** The model's name: the client's, or the provider's where a provider is asked. */
  String model();

  /** The request in OpenAI's form, checked; not to be changed. */
  ObjectNode body();

  /** Estimated number of input tokens, for servers that do not count. */
  int estimatedTokens();

  /** Most output tokens; empty where the request names no limit. */
  OptionalInt maxTokens();
}
