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

  /** A field of messages, or a type of their parts, is named with this prefix. */
  private static final String MESSAGES = "messages.";

  /** Images in messages. */
  public static final String IMAGES = MESSAGES + "image_url";

  /** Images that the provider would have to fetch. */
  public static final String REMOTE_IMAGES = IMAGES + ".url";

  /** Messages in which the model called tools, and the results of these calls. */
  public static final String TOOL_CALLS = MESSAGES + "tool_calls";

  /** The reasoning in earlier answers. */
  public static final String REASONING = MESSAGES + "reasoning";

  /** A type of tools is named with this prefix. */
  private static final String TOOLS = "tools.";

  /** Named for embeddings of lists of tokens. */
  public static final String TOKENS = "input";

  /** Named for a model that only creates embeddings. */
  public static final String CHATS = "chats";

  /** Named for a model that creates no embeddings. */
  public static final String EMBEDDINGS = "embeddings";

  /** Every provider reads these fields of messages. */
  private static final Set<String> MESSAGE =
      Set.of("content", "function_call", "refusal", "role", "tool_call_id", "tool_calls");

  private static final Set<String> REASONING_FIELDS = Set.of("reasoning", "reasoning_content");

  /** Fields that change the answer, each with a test for values that do not. */
  private static final Map<String, Predicate<JsonNode>> ESSENTIAL =
      Map.ofEntries(
          Map.entry("audio", value -> false),
          Map.entry("frequency_penalty", UnsupportedFields::zero),
          Map.entry("function_call", value -> value.asText().equals("none")),
          Map.entry("functions", JsonNode::isEmpty),
          Map.entry("logit_bias", JsonNode::isEmpty),
          Map.entry("logprobs", value -> !value.asBoolean()),
          Map.entry(
              "modalities", value -> value.size() == 1 && value.get(0).asText().equals("text")),
          Map.entry("n", value -> value.asInt() == 1),
          Map.entry("presence_penalty", UnsupportedFields::zero),
          Map.entry("response_format", value -> value.path("type").asText().equals("text")),
          Map.entry("tool_choice", value -> Set.of("none", "auto").contains(value.asText())),
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
   * @param honoured the fields that it honours besides the common ones; {@link #IMAGES}, {@link
   *     #TOOL_CALLS} and {@link #REASONING} stand for what messages hold
   * @param fields which fields must not be sent to it
   */
  public static UnsupportedFields of(
      ChatRequest request, Set<String> honoured, FieldPolicy fields) {
    Set<String> unsafe = new LinkedHashSet<>(fields.refused(request.body()));
    Set<String> refused = new LinkedHashSet<>(unsafe);
    Set<String> ignored = new LinkedHashSet<>();
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
    for (JsonNode tool : request.body().path("tools")) {
      String type = tool.path("type").asText();
      if (honoured.contains("tools") && !type.equals("function")) {
        refused.add(TOOLS + type);
      }
    }
    for (ChatRequest.Message message : request.messages()) {
      addParts(message, honoured, refused);
      addFields(message, honoured, ignored);
    }
    return new UnsupportedFields(List.copyOf(refused), List.copyOf(ignored));
  }

  private static void addParts(
      ChatRequest.Message message, Set<String> honoured, Set<String> refused) {
    for (String type : message.partTypes()) {
      boolean image = IMAGES.equals(MESSAGES + type) && honoured.contains(IMAGES);
      if (!image && !ChatRequest.TEXT_PARTS.contains(type)) {
        refused.add(MESSAGES + type);
      }
    }
    if (hasToolCalls(message) && !honoured.contains(TOOL_CALLS)) {
      refused.add(TOOL_CALLS);
    }
  }

  private static void addFields(
      ChatRequest.Message message, Set<String> honoured, Set<String> ignored) {
    boolean result = message.role().equals("tool");
    for (Map.Entry<String, JsonNode> field : message.json().properties()) {
      String name = field.getKey();
      boolean read =
          MESSAGE.contains(name)
              || (name.equals("name") && result)
              || (name.equals("audio") && field.getValue().path("transcript").isTextual())
              || (REASONING_FIELDS.contains(name) && honoured.contains(REASONING));
      if (!read && !isEmpty(field.getValue())) {
        ignored.add(MESSAGES + name);
      }
    }
  }

  /** Whether the model called tools in the message, or it is the result of such a call. */
  static boolean hasToolCalls(ChatRequest.Message message) {
    return message.role().equals("tool") || !message.toolCalls().isEmpty();
  }

  /** Whether the name stands for something in messages or tools, not for a field of the request. */
  static boolean isInside(String name) {
    return name.startsWith(MESSAGES) || isTool(name);
  }

  /** Whether the name stands for a type of tools. */
  static boolean isTool(String name) {
    return name.startsWith(TOOLS);
  }

  private static boolean isEmpty(JsonNode value) {
    return value.isNull()
        || (value.isContainerNode() && value.isEmpty())
        || (value.isTextual() && value.textValue().isEmpty());
  }

  /** The fields of a request for embeddings that a provider cannot honour. */
  public static UnsupportedFields of(EmbeddingRequest request, FieldPolicy fields) {
    Set<String> unsafe = new LinkedHashSet<>(fields.refused(request.body()));
    List<String> refused = new ArrayList<>(unsafe);
    if (request.inTokens()) {
      refused.add(TOKENS);
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
