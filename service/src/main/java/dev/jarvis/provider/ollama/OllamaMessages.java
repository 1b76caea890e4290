package dev.jarvis.provider.ollama;

import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import dev.jarvis.gateway.ChatRequest;
import dev.jarvis.json.Json;
import dev.jarvis.json.SharedBuffers;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/** Translates messages in OpenAI's form into Ollama's. */
final class OllamaMessages {
  /** Arguments that are nested deeper are sent as text. */
  private static final int MAX_DEPTH = 64;

  private static final ObjectMapper JSON =
      JsonMapper.builder(
              SharedBuffers.factory()
                  .streamReadConstraints(
                      StreamReadConstraints.builder().maxNestingDepth(MAX_DEPTH).build())
                  .build())
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .build();

  /** Names of tools by the ids of their calls, because Ollama has no ids. */
  private final Map<String, String> toolNames = new HashMap<>();

  /** Names of the tools that were called last and have no result yet. */
  private final List<String> pending = new ArrayList<>();

  private OllamaMessages() {}

  static void write(List<ChatRequest.Message> messages, ArrayNode to) {
    OllamaMessages translation = new OllamaMessages();
    messages.forEach(it -> translation.write(it, to.addObject()));
  }

  private void write(ChatRequest.Message message, ObjectNode to) {
    to.put("role", message.role()).put("content", message.text());
    if (!message.reasoning().isEmpty()) {
      to.put("thinking", message.reasoning());
    }
    if (!message.images().isEmpty()) {
      ArrayNode images = to.putArray("images");
      message.images().forEach(url -> image(url).ifPresent(images::add));
    }
    if (!message.toolCalls().isEmpty()) {
      pending.clear();
      ArrayNode calls = to.putArray("tool_calls");
      message.toolCalls().forEach(call -> write(call, calls.addObject().putObject("function")));
    }
    if (message.role().equals("tool")) {
      to.put("tool_name", toolName(message.json()));
    }
  }

  private void write(ChatRequest.ToolCall call, ObjectNode to) {
    pending.add(call.name());
    if (!call.id().isEmpty()) {
      toolNames.put(call.id(), call.name());
    }
    to.put("name", call.name()).set("arguments", arguments(call.arguments()));
  }

  /** The tool of a result: that of its call, the one that it names, or the next one. */
  private String toolName(JsonNode result) {
    String name =
        toolNames.getOrDefault(
            result.path("tool_call_id").asText(""), result.path("name").asText(""));
    if (!name.isEmpty()) {
      pending.remove(name);
      return name;
    }
    return pending.isEmpty() ? "" : pending.removeFirst();
  }

  /** The image in a {@code data:} URL, as Base64; empty for any other URL. */
  static Optional<String> image(String url) {
    int comma = url.indexOf(',');
    String head = url.substring(0, Math.max(comma, 0)).toLowerCase(Locale.ROOT);
    return head.startsWith("data:") && head.endsWith(";base64")
        ? Optional.of(url.substring(comma + 1))
        : Optional.empty();
  }

  /**
   * In OpenAI's form the arguments are JSON text, in Ollama's a JSON object. Servers also answer
   * with an object, with text that was encoded twice, or with anything that the model wrote.
   */
  private static JsonNode arguments(JsonNode sent) {
    JsonNode value = decoded(decoded(sent));
    if (value.isObject()) {
      return value;
    }
    boolean none =
        value.isMissingNode() || value.isNull() || (value.isTextual() && value.asText().isBlank());
    return none ? Json.object() : Json.object().set("input", value);
  }

  private static JsonNode decoded(JsonNode value) {
    if (!value.isTextual() || value.textValue().isBlank()) {
      return value;
    }
    try {
      JsonNode decoded = JSON.readTree(value.textValue());
      return decoded.isValueNode() && !decoded.isTextual() && !decoded.isNull()
          ? TextNode.valueOf(value.textValue())
          : decoded;
    } catch (IOException e) {
      return value;
    }
  }
}
