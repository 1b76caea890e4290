package dev.jarvis.provider.ollama;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jarvis.gateway.ChatRequest;
import dev.jarvis.gateway.EmbeddingRequest;
import dev.jarvis.json.Json;
import dev.jarvis.json.SharedBuffers;
import dev.jarvis.provider.FieldPolicy;
import dev.jarvis.provider.UnsupportedFields;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Translates a request in OpenAI's form into the body of Ollama's {@code /api/chat} or {@code
 * /api/embed}, as <a href="https://github.com/ollama/ollama/blob/main/docs/api.md">documented</a>
 * by Ollama.
 */
final class OllamaRequest {
  private static final ObjectMapper JSON = SharedBuffers.mapper();
  private static final Set<String> HONOURED =
      Set.of(
          "frequency_penalty",
          "image_url",
          "presence_penalty",
          "response_format",
          "tool_calls",
          "tools");
  private static final String DATA_URL = "data:";
  private static final String BASE64 = ";base64,";

  private OllamaRequest() {}

  /**
   * The fields that Ollama cannot honour, such as images that it would have to fetch.
   *
   * @param thinks whether the model can think; null if not known
   */
  static UnsupportedFields unsupported(
      ChatRequest request, FieldPolicy fields, @Nullable Boolean thinks) {
    Set<String> honoured = new HashSet<>(HONOURED);
    honoured.addAll(OllamaFields.honoured(request, thinks));
    UnsupportedFields unsupported = UnsupportedFields.of(request, honoured, fields);
    boolean remote =
        request.messages().stream()
            .flatMap(it -> it.images().stream())
            .anyMatch(it -> !(it.startsWith(DATA_URL) && it.contains(BASE64)));
    if (!remote) {
      return unsupported;
    }
    List<String> refused = new ArrayList<>(unsupported.refused());
    refused.add("image_url");
    return new UnsupportedFields(refused, unsupported.ignored());
  }

  /** The body of {@code /api/chat}. */
  static ObjectNode body(ChatRequest request, boolean stream) {
    ObjectNode root = Json.object().put("model", request.model()).put("stream", stream);
    messages(root.putArray("messages"), request.messages());
    JsonNode tools = request.body().path("tools");
    if (!tools.isEmpty() && !request.body().path("tool_choice").asText().equals("none")) {
      root.set("tools", tools);
    }
    JsonNode format = request.body().path("response_format");
    switch (format.path("type").asText()) {
      case "json_object" -> root.put("format", "json");
      case "json_schema" -> root.set("format", format.at("/json_schema/schema"));
      default -> {}
    }
    options(root.putObject("options"), request);
    return root;
  }

  /** The body of {@code /api/embed}; a text that is too long for the model is not truncated. */
  static byte[] json(EmbeddingRequest request) {
    ObjectNode root = Json.object().put("model", request.model()).put("truncate", false);
    root.set("input", request.inputs());
    request.dimensions().ifPresent(value -> root.put("dimensions", value));
    return Json.bytes(root);
  }

  private static void options(ObjectNode options, ChatRequest request) {
    request.temperature().ifPresent(value -> options.put("temperature", value));
    request.topP().ifPresent(value -> options.put("top_p", value));
    request.frequencyPenalty().ifPresent(value -> options.put("frequency_penalty", value));
    request.presencePenalty().ifPresent(value -> options.put("presence_penalty", value));
    request.maxTokens().ifPresent(value -> options.put("num_predict", value));
    request.seed().ifPresent(value -> options.put("seed", value));
    if (!request.stop().isEmpty()) {
      ArrayNode stop = options.putArray("stop");
      request.stop().forEach(stop::add);
    }
  }

  private static void messages(ArrayNode to, List<ChatRequest.Message> messages) {
    Map<String, String> toolNames = new HashMap<>(); // by call id, because Ollama has none
    for (ChatRequest.Message message : messages) {
      ObjectNode node = to.addObject().put("role", message.role()).put("content", message.text());
      if (!message.images().isEmpty()) {
        ArrayNode images = node.putArray("images");
        for (String url : message.images()) {
          images.add(url.substring(url.indexOf(BASE64) + BASE64.length()));
        }
      }
      if (!message.toolCalls().isEmpty()) {
        ArrayNode calls = node.putArray("tool_calls");
        for (JsonNode call : message.toolCalls()) {
          JsonNode function = call.path("function");
          toolNames.put(call.path("id").asText(), function.path("name").asText());
          ObjectNode translated = calls.addObject().putObject("function");
          translated.set("name", function.path("name"));
          translated.set("arguments", arguments(function.path("arguments").asText()));
        }
      }
      if (message.role().equals("tool")) {
        node.put(
            "tool_name", toolNames.getOrDefault(message.json().path("tool_call_id").asText(), ""));
      }
    }
  }

  /** In OpenAI's form the arguments are JSON text, in Ollama's a JSON object. */
  private static JsonNode arguments(String text) {
    try {
      JsonNode node = JSON.readTree(text);
      return node.isObject() ? node : Json.object();
    } catch (IOException e) {
      return Json.object(); // a model may have written invalid JSON
    }
  }
}
