package dev.jarvis.provider.ollama;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jarvis.gateway.ChatRequest;
import dev.jarvis.gateway.EmbeddingRequest;
import dev.jarvis.json.Json;
import dev.jarvis.provider.FieldPolicy;
import dev.jarvis.provider.UnsupportedFields;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Translates a request in OpenAI's form into the body of Ollama's {@code /api/chat} or {@code
 * /api/embed}, as <a href="https://github.com/ollama/ollama/blob/main/docs/api.md">documented</a>
 * by Ollama.
 */
final class OllamaRequest {
  private static final Set<String> HONOURED =
      Set.of(
          "frequency_penalty",
          "presence_penalty",
          "response_format",
          "tools",
          UnsupportedFields.IMAGES,
          UnsupportedFields.REASONING,
          UnsupportedFields.TOOL_CALLS);

  /** The formats of answers. */
  private static final Set<String> FORMATS = Set.of("", "text", "json_object", "json_schema");

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
    List<String> refused = new ArrayList<>(unsupported.refused());
    if (request.messages().stream()
        .flatMap(it -> it.images().stream())
        .anyMatch(it -> OllamaMessages.image(it).isEmpty())) {
      refused.add(UnsupportedFields.REMOTE_IMAGES);
    }
    if (!FORMATS.contains(request.body().at("/response_format/type").asText())) {
      refused.add("response_format");
    }
    return new UnsupportedFields(refused, unsupported.ignored());
  }

  /** The body of {@code /api/chat}. */
  static ObjectNode body(ChatRequest request, boolean stream) {
    ObjectNode root = Json.object().put("model", request.model()).put("stream", stream);
    OllamaMessages.write(request.messages(), root.putArray("messages"));
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
}
