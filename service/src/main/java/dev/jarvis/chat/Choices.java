package dev.jarvis.chat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jarvis.http.Json;
import dev.jarvis.model.ChatStream.Chunk;
import dev.jarvis.model.ChatStream.Reason;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** Puts the pieces of an answer together: OpenAI's {@code choices}. */
final class Choices {
  /** One answer to the question. */
  private static final class Choice {
    private final StringBuilder text = new StringBuilder();
    private final ObjectNode more = Json.object();
    private @Nullable ObjectNode logprobs;
    private Reason reason = Reason.STOP;
  }

  private final Map<Integer, Choice> choices = new TreeMap<>();

  void add(Chunk chunk) {
    Choice choice = choices.computeIfAbsent(chunk.choice(), it -> new Choice());
    choice.text.append(chunk.text());
    if (chunk.more() != null) {
      merge(choice.more, chunk.more());
    }
    if (chunk.logprobs() != null) {
      choice.logprobs = choice.logprobs == null ? Json.object() : choice.logprobs;
      merge(choice.logprobs, chunk.logprobs());
    }
    if (chunk.reason() != null) {
      choice.reason = chunk.reason();
    }
  }

  /** Whether each choice ended for a reason that makes it a complete answer. */
  boolean complete() {
    return choices.values().stream().allMatch(it -> it.reason.complete());
  }

  ArrayNode json() {
    ArrayNode all = Json.object().putArray("choices");
    choices.forEach((index, choice) -> all.add(json(index, choice)));
    return all;
  }

  private static ObjectNode json(int index, Choice choice) {
    ObjectNode json = Json.object().put("index", index);
    ObjectNode message = json.putObject("message").put("role", "assistant");
    // OpenAI: no text beside the calls of tools is null, and not an empty one
    boolean silent = choice.text.isEmpty() && !choice.more.isEmpty();
    message.put("content", silent ? null : choice.text.toString());
    message.putNull("refusal");
    message.setAll(choice.more);
    message.path("tool_calls").forEach(call -> ((ObjectNode) call).remove("index"));
    json.set("logprobs", choice.logprobs);
    return json.put("finish_reason", choice.reason.id());
  }

  /**
   * Adds a piece: texts are continued, calls of tools by their index, other lists extended, and
   * names and numbers stay as they came first.
   */
  private static void merge(ObjectNode whole, JsonNode piece) {
    for (Map.Entry<String, JsonNode> field : piece.properties()) {
      String name = field.getKey();
      JsonNode value = field.getValue();
      JsonNode known = whole.get(name);
      if (known == null || known.isNull()) {
        whole.set(name, name.equals("tool_calls") ? calls(Json.object(), value) : value.deepCopy());
      } else if (name.equals("tool_calls")) {
        calls(whole, value);
      } else if (known instanceof ArrayNode array && value.isArray()) {
        value.forEach(array::add);
      } else if (known instanceof ObjectNode object && value.isObject()) {
        merge(object, value);
      } else if (known.isTextual() && value.isTextual() && !isName(name)) {
        whole.put(name, known.textValue() + value.textValue());
      }
    }
  }

  private static boolean isName(String field) {
    return field.equals("id") || field.equals("type") || field.equals("name");
  }

  private static ArrayNode calls(ObjectNode whole, JsonNode pieces) {
    ArrayNode calls = whole.withArray("tool_calls");
    for (JsonNode piece : pieces) {
      ObjectNode call = null;
      for (JsonNode known : calls) {
        if (known.path("index").asInt() == piece.path("index").asInt()) {
          call = (ObjectNode) known;
        }
      }
      merge(call == null ? calls.addObject() : call, piece);
    }
    return calls;
  }
}
