package dev.jarvis.dialect.openai;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jarvis.error.ApiException;
import dev.jarvis.gateway.ChatRequest;
import org.jspecify.annotations.Nullable;

/**
 * The body of {@code POST /v1/chat/completions}, as <a
 * href="https://platform.openai.com/docs/api-reference/chat/create">OpenAI documents it</a>.
 *
 * @param model the name that the client gave
 * @param chat the question to the model, under that name
 * @param stream whether the answer is sent as a stream of events
 * @param includeUsage whether a stream ends with a chunk that holds the token usage
 * @param user the end user
 */
record ChatCompletionRequest(
    String model, ChatRequest chat, boolean stream, boolean includeUsage, @Nullable String user) {

  /**
   * Reads a body that its schema has accepted. Fields that OpenAI does not define stay in it: they
   * are for the model server.
   *
   * @throws ApiException.InvalidRequest if it names two maximum numbers of tokens
   */
  static ChatCompletionRequest of(ObjectNode body) {
    JsonNode current = body.path("max_completion_tokens");
    JsonNode older = body.path("max_tokens");
    if (current.isNumber() && older.isNumber() && current.asInt() != older.asInt()) {
      throw new ApiException.InvalidRequest(
          "'max_tokens' is %d, but 'max_completion_tokens' is %d; send one of them."
              .formatted(older.asInt(), current.asInt()),
          "max_tokens",
          "invalid_value");
    }
    String model = body.path("model").asText();
    return new ChatCompletionRequest(
        model,
        new ChatRequest(model, body),
        body.path("stream").asBoolean(),
        body.path("stream_options").path("include_usage").asBoolean(),
        Calls.endUser(body));
  }
}
