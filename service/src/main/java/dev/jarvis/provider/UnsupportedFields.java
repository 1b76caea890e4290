package dev.jarvis.provider;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jarvis.gateway.ChatRequest;
import dev.jarvis.gateway.EmbeddingRequest;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;

/**
 * The fields of a request that a provider cannot honour.
 *
 * @param refused fields that the answer would have to respect: the provider must not be asked
 * @param ignored fields that can be left out
 */
public record UnsupportedFields(List<String> refused, List<String> ignored) {
  public static final UnsupportedFields NONE = new UnsupportedFields(List.of(), List.of());

  /** Every provider honours these. */
  private static final Set<String> COMMON =
      Set.of(
          "max_completion_tokens",
          "max_tokens",
          "messages",
          "model",
          "seed",
          "stop",
          "stream",
          "stream_options",
          "temperature",
          "top_p",
          "user");

  /** Every provider of embeddings honours these. */
  private static final Set<String> EMBEDDING =
      Set.of("dimensions", "encoding_format", "input", "model", "user");

  /** Fields that change the answer, each with a test for values that do not. */
  private static final Map<String, Predicate<JsonNode>> ESSENTIAL =
      Map.ofEntries(
          Map.entry("audio", value -> false),
          Map.entry("frequency_penalty", UnsupportedFields::zero),
          Map.entry("function_call", value -> value.asText().equals("none")),
          Map.entry("functions", JsonNode::isEmpty),
          Map.entry("image_url", value -> false),
          Map.entry("logit_bias", JsonNode::isEmpty),
          Map.entry("logprobs", value -> !value.asBoolean()),
          Map.entry(
              "modalities", value -> value.size() == 1 && value.get(0).asText().equals("text")),
          Map.entry("n", value -> value.asInt() == 1),
          Map.entry("presence_penalty", UnsupportedFields::zero),
          Map.entry("response_format", value -> value.path("type").asText().equals("text")),
          Map.entry("tool_choice", value -> Set.of("none", "auto").contains(value.asText())),
          Map.entry("tool_calls", value -> false),
          Map.entry("tools", JsonNode::isEmpty),
          Map.entry("top_logprobs", UnsupportedFields::zero),
          Map.entry("web_search_options", value -> false));

  public UnsupportedFields {
    refused = List.copyOf(refused);
    ignored = List.copyOf(ignored);
  }

  /**
   * The fields of a chat that a provider cannot honour.
   *
   * @param honoured the fields that it honours besides the common ones; {@code image_url} and
   *     {@code tool_calls} stand for such parts of messages
   * @param fields which fields must not be sent to it
   */
  public static UnsupportedFields of(
      ChatRequest request, Set<String> honoured, FieldPolicy fields) {
    Set<String> unsafe = new LinkedHashSet<>(fields.refused(request.body()));
    List<String> refused = new ArrayList<>(unsafe);
    List<String> ignored = new ArrayList<>();
    for (Map.Entry<String, JsonNode> field : request.body().properties()) {
      String name = field.getKey();
      if (COMMON.contains(name)
          || honoured.contains(name)
          || field.getValue().isNull()
          || unsafe.contains(name)) {
        continue;
      }
      Predicate<JsonNode> harmless = ESSENTIAL.get(name);
      if (harmless == null) {
        ignored.add(name);
      } else if (!harmless.test(field.getValue())) {
        refused.add(name);
      }
    }
    List<ChatRequest.Message> messages = request.messages();
    if (!honoured.contains("image_url")
        && messages.stream().anyMatch(it -> !it.images().isEmpty())) {
      refused.add("image_url");
    }
    if (!honoured.contains("tool_calls")
        && messages.stream()
            .anyMatch(it -> it.role().equals("tool") || !it.toolCalls().isEmpty())) {
      refused.add("tool_calls");
    }
    return new UnsupportedFields(refused, ignored);
  }

  /** The fields of a request for embeddings that a provider cannot honour. */
  public static UnsupportedFields of(EmbeddingRequest request, FieldPolicy fields) {
    Set<String> unsafe = new LinkedHashSet<>(fields.refused(request.body()));
    List<String> refused = new ArrayList<>(unsafe);
    if (request.inTokens()) {
      refused.add("input");
    }
    List<String> ignored = new ArrayList<>();
    request.body().fieldNames().forEachRemaining(ignored::add);
    ignored.removeAll(EMBEDDING);
    ignored.removeAll(unsafe);
    return new UnsupportedFields(refused, ignored);
  }

  /** For a server that gets all fields but the unsafe ones, and reports itself what it rejects. */
  public static UnsupportedFields of(ObjectNode body, FieldPolicy fields) {
    return new UnsupportedFields(fields.refused(body), List.of());
  }

  private static boolean zero(JsonNode value) {
    return value.asDouble() == 0;
  }
}
