package dev.jarvis.dialect.openai;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jarvis.gateway.Event;
import dev.jarvis.gateway.FinishReason;
import dev.jarvis.gateway.Notes;
import dev.jarvis.json.Json;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** Assembles the events of an answer into OpenAI's {@code choices} and the fields beside them. */
final class Choices {
  /** One answer to the question. */
  private static final class Choice {
    private final StringBuilder text = new StringBuilder();

    /** Parts of the content before the text; null if all of it is text. */
    private @Nullable ArrayNode parts;

    private final ObjectNode message = Json.object();
    private final Map<Integer, ObjectNode> toolCalls = new TreeMap<>();
    private final ObjectNode fields = Json.object();
    private @Nullable ObjectNode logprobs;
    private FinishReason reason = FinishReason.STOP;
  }

  private final Map<Integer, Choice> choices = new TreeMap<>();
  private final ObjectNode answerFields = Json.object();
  private final Notes notes = new Notes();
  private Event.@Nullable UsageReport usage;
  private @Nullable ObjectNode citations;

  void add(Event event) {
    switch (event) {
      case Event.Text it -> {
        Choice choice = choice(it.choice());
        choice.text.append(it.text());
        if (it.logprobs() != null) {
          choice.logprobs = choice.logprobs == null ? Json.object() : choice.logprobs;
          merge(choice.logprobs, it.logprobs());
        }
      }
      case Event.Reasoning it -> merge(choice(it.choice()).message, DeltaJson.reasoning(it));
      case Event.ToolCall it ->
          merge(
              choice(it.choice()).toolCalls.computeIfAbsent(it.index(), key -> Json.object()),
              DeltaJson.toolCall(it));
      case Event.MessageFields it -> {
        Choice choice = choice(it.choice());
        if (it.fields().get("content") instanceof ArrayNode parts) {
          addParts(choice, parts);
        } else {
          merge(choice.message, it.fields());
        }
      }
      case Event.ChoiceFields it -> merge(choice(it.choice()).fields, it.fields());
      case Event.AnswerFields it -> answerFields.setAll(it.fields());
      case Event.ChoiceEnd it -> {
        Choice choice = choice(it.choice());
        choice.reason = it.reason();
        if (it.fields() != null) {
          choice.fields.setAll(it.fields());
        }
      }
      case Event.UsageReport it -> usage = it;
      case Event.Note it -> notes.add(it);
      case Event.Citations it -> citations = it.json();
      case Event.Vectors it -> throw new IllegalStateException("a chat has no vectors");
      case Event.End it -> {}
    }
  }

  private static void addParts(Choice choice, Iterable<JsonNode> parts) {
    ArrayNode all = choice.parts == null ? Json.object().arrayNode() : choice.parts;
    if (!choice.text.isEmpty()) {
      all.addObject().put("type", "text").put("text", choice.text.toString());
      choice.text.setLength(0);
    }
    parts.forEach(all::add);
    choice.parts = all;
  }

  private Choice choice(int index) {
    return choices.computeIfAbsent(index, it -> new Choice());
  }

  /** The fields beside the choices. */
  ObjectNode answerFields() {
    return answerFields;
  }

  /** The last reported usage; null if there was none. */
  Event.@Nullable UsageReport usage() {
    return usage;
  }

  /** The passages that the answer is grounded in; null if it is not. */
  @Nullable ObjectNode citations() {
    return citations;
  }

  Notes notes() {
    return notes;
  }

  ArrayNode json() {
    ArrayNode all = Json.object().putArray("choices");
    choices.forEach((index, choice) -> all.add(json(index, choice)));
    return all;
  }

  private static ObjectNode json(int index, Choice choice) {
    ObjectNode json = Json.object().put("index", index);
    ObjectNode message = json.putObject("message").put("role", "assistant");
    // OpenAI sends null, not an empty text, beside tool calls
    boolean says = !choice.message.isEmpty() || !choice.toolCalls.isEmpty();
    message.put("content", choice.text.isEmpty() && says ? null : choice.text.toString());
    if (choice.parts != null) {
      addParts(choice, List.of()); // the text after them
      message.set("content", choice.parts);
    }
    message.putNull("refusal");
    message.setAll(choice.message);
    if (!choice.toolCalls.isEmpty()) {
      ArrayNode calls = message.putArray("tool_calls");
      choice.toolCalls.values().forEach(call -> calls.add(call.without("index")));
    }
    json.set("logprobs", choice.logprobs);
    json.put("finish_reason", choice.reason.id());
    json.setAll(choice.fields);
    return json;
  }

  /** Merges a piece: appends to texts and lists, and keeps the first value of names and numbers. */
  private static void merge(ObjectNode whole, JsonNode piece) {
    for (Map.Entry<String, JsonNode> field : piece.properties()) {
      String name = field.getKey();
      JsonNode value = field.getValue();
      JsonNode known = whole.get(name);
      if (known == null || known.isNull()) {
        whole.set(name, value.deepCopy());
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
}
