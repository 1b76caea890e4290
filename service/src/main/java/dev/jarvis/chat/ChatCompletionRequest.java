package dev.jarvis.chat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jarvis.http.ApiException;
import dev.jarvis.model.ChatRequest;
import dev.jarvis.model.ChatRequest.Message;
import dev.jarvis.model.ChatRequest.Role;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * The body of {@code POST /v1/chat/completions}, as <a
 * href="https://platform.openai.com/docs/api-reference/chat/create">OpenAI documents it</a>.
 *
 * @param model the name that the client gave
 * @param chat what the model is asked, under that name
 * @param stream whether the answer comes piece by piece
 * @param includeUsage whether a stream ends with a chunk that tells the tokens
 * @param user the end user
 */
record ChatCompletionRequest(
    String model, ChatRequest chat, boolean stream, boolean includeUsage, @Nullable String user) {

  private static final int MAX_USER_LENGTH = 256;

  /** OpenAI's fields that are not supported yet, and the values of them that change nothing. */
  private static final Map<String, Predicate<JsonNode>> UNSUPPORTED =
      Map.ofEntries(
          Map.entry("audio", ChatCompletionRequest::never),
          Map.entry("frequency_penalty", ChatCompletionRequest::zero),
          Map.entry("function_call", value -> value.asText().equals("none")),
          Map.entry("functions", JsonNode::isEmpty),
          Map.entry("logit_bias", JsonNode::isEmpty),
          Map.entry("logprobs", ChatCompletionRequest::isFalse),
          Map.entry("metadata", JsonNode::isEmpty),
          Map.entry(
              "modalities", value -> value.size() == 1 && value.get(0).asText().equals("text")),
          Map.entry("moderation", ChatCompletionRequest::never),
          Map.entry("n", value -> value.isInt() && value.asInt() == 1),
          Map.entry("parallel_tool_calls", ChatCompletionRequest::never),
          Map.entry("prediction", ChatCompletionRequest::never),
          Map.entry("presence_penalty", ChatCompletionRequest::zero),
          Map.entry("prompt_cache_key", ChatCompletionRequest::never),
          Map.entry("prompt_cache_retention", ChatCompletionRequest::never),
          Map.entry("reasoning_effort", ChatCompletionRequest::never),
          Map.entry("response_format", value -> value.path("type").asText().equals("text")),
          Map.entry("safety_identifier", ChatCompletionRequest::never),
          Map.entry("service_tier", value -> value.asText().equals("auto")),
          Map.entry("store", ChatCompletionRequest::isFalse),
          Map.entry("tool_choice", value -> value.asText().equals("none")),
          Map.entry("tools", JsonNode::isEmpty),
          Map.entry("top_logprobs", ChatCompletionRequest::zero),
          Map.entry("verbosity", ChatCompletionRequest::never),
          Map.entry("web_search_options", ChatCompletionRequest::never));

  /**
   * Reads a body.
   *
   * @throws ApiException.InvalidRequest naming the first field that is wrong and what is allowed
   *     there
   */
  static ChatCompletionRequest parse(ObjectNode body, int maxMessages) {
    Fields fields = new Fields(body);
    UNSUPPORTED.forEach(
        (name, harmless) -> {
          JsonNode value = body.get(name);
          if (value != null && !value.isNull() && !harmless.test(value)) {
            throw Fields.invalid(
                name,
                "'%s' is not supported yet; leave it out.".formatted(name),
                "unsupported_field");
          }
        });
    String model = fields.requiredText("model");
    ChatRequest chat =
        new ChatRequest(
            model,
            messages(body.get("messages"), maxMessages),
            fields.number("temperature", 0, 2),
            fields.number("top_p", 0, 1),
            maxTokens(fields),
            stop(body.get("stop")),
            fields.integer("seed"));
    boolean stream = fields.flag("stream");
    return new ChatCompletionRequest(model, chat, stream, includeUsage(body, stream), user(fields));
  }

  private static boolean never(JsonNode value) {
    return false;
  }

  private static boolean zero(JsonNode value) {
    return value.isNumber() && value.asDouble() == 0;
  }

  private static boolean isFalse(JsonNode value) {
    return value.isBoolean() && !value.asBoolean();
  }

  private static @Nullable String user(Fields fields) {
    String user = fields.text("user");
    if (user != null && user.length() > MAX_USER_LENGTH) {
      throw Fields.invalid(
          "user", "'user' has at most %d characters.".formatted(MAX_USER_LENGTH), null);
    }
    return user == null || user.isBlank() ? null : user;
  }

  private static OptionalInt maxTokens(Fields fields) {
    OptionalInt current = fields.positive("max_completion_tokens");
    OptionalInt older = fields.positive("max_tokens");
    if (current.isPresent() && older.isPresent() && current.getAsInt() != older.getAsInt()) {
      throw Fields.invalid(
          "max_tokens", "'max_tokens' and 'max_completion_tokens' differ; send one of them.", null);
    }
    return current.isPresent() ? current : older;
  }

  private static boolean includeUsage(ObjectNode body, boolean stream) {
    JsonNode options = body.get("stream_options");
    if (options == null || options.isNull()) {
      return false;
    }
    if (!(options instanceof ObjectNode object)) {
      throw Fields.invalid("stream_options", "'stream_options' must be an object.", null);
    }
    if (!stream) {
      throw Fields.invalid(
          "stream_options", "'stream_options' is allowed only when 'stream' is true.", null);
    }
    return new Fields(object, "stream_options.").flag("include_usage");
  }

  private static List<String> stop(@Nullable JsonNode stop) {
    if (stop == null || stop.isNull()) {
      return List.of();
    }
    List<String> sequences = new ArrayList<>();
    if (stop.isArray()) {
      stop.forEach(it -> sequences.add(it.isTextual() ? it.asText() : ""));
    } else {
      sequences.add(stop.isTextual() ? stop.asText() : "");
    }
    if (sequences.size() > 4 || sequences.contains("")) {
      throw Fields.invalid(
          "stop", "'stop' must be a string or up to four strings, none of them empty.", null);
    }
    return sequences;
  }

  private static List<Message> messages(@Nullable JsonNode messages, int maxMessages) {
    if (messages == null || !messages.isArray() || messages.isEmpty()) {
      throw Fields.invalid(
          "messages", "'messages' must be an array of at least one message.", null);
    }
    if (messages.size() > maxMessages) {
      throw Fields.invalid(
          "messages",
          "'messages' has %d messages; at most %d are allowed."
              .formatted(messages.size(), maxMessages),
          null);
    }
    List<Message> all = new ArrayList<>();
    for (int i = 0; i < messages.size(); i++) {
      all.add(message("messages[" + i + "]", messages.get(i)));
    }
    return all;
  }

  private static Message message(String at, JsonNode node) {
    if (!(node instanceof ObjectNode object)) {
      throw Fields.invalid(at, "'%s' must be an object.".formatted(at), null);
    }
    for (String name : Set.of("tool_calls", "function_call", "audio", "tool_call_id")) {
      JsonNode value = object.get(name);
      if (value != null && !value.isNull() && !(value.isArray() && value.isEmpty())) {
        throw Fields.invalid(
            at + "." + name,
            "'%s.%s' is not supported yet; leave it out.".formatted(at, name),
            "unsupported_field");
      }
    }
    String role = new Fields(object, at + ".").requiredText("role");
    return new Message(
        switch (role) {
          case "system", "developer" -> Role.SYSTEM;
          case "user" -> Role.USER;
          case "assistant" -> Role.ASSISTANT;
          default ->
              throw Fields.invalid(
                  at + ".role",
                  "'%s.role' must be system, developer, user or assistant.".formatted(at),
                  null);
        },
        content(at + ".content", object.get("content")));
  }

  private static String content(String at, @Nullable JsonNode content) {
    if (content != null && content.isTextual()) {
      return content.asText();
    }
    if (content == null || !content.isArray() || content.isEmpty()) {
      throw Fields.invalid(
          at, "'%s' must be a string or an array of text parts.".formatted(at), null);
    }
    StringBuilder text = new StringBuilder();
    for (JsonNode part : content) {
      if (!part.path("type").asText().equals("text") || !part.path("text").isTextual()) {
        throw Fields.invalid(
            at,
            "'%s' may have parts of type \"text\" only; others are not supported yet."
                .formatted(at),
            "unsupported_field");
      }
      text.append(part.path("text").asText());
    }
    return text.toString();
  }
}
