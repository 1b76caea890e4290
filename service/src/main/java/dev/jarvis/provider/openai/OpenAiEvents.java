package dev.jarvis.provider.openai;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jarvis.gateway.ChatRequest;
import dev.jarvis.gateway.Event;
import dev.jarvis.gateway.FinishReason;
import dev.jarvis.gateway.Usage;
import dev.jarvis.provider.LineStream;
import dev.jarvis.provider.ModelServerErrors;
import dev.jarvis.provider.ProviderException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Translates the JSON objects of an answer in OpenAI's dialect into events: a {@code
 * chat.completion}, or the {@code chat.completion.chunk}s of a stream. Fields without an event of
 * their own are kept as JSON.
 */
final class OpenAiEvents {
  /** OpenAI's limit for {@code n}. */
  private static final int MAX_CHOICES = 128;

  /** Fields of an answer that are translated, or that JARVIS replaces. */
  private static final Set<String> ANSWER_FIELDS =
      Set.of("id", "object", "created", "model", "choices", "usage", "obfuscation");

  private static final Set<String> CHOICE_FIELDS =
      Set.of("index", "delta", "message", "finish_reason", "logprobs");
  private static final Set<String> MESSAGE_FIELDS = Set.of("role", "content", "tool_calls");
  private static final List<String> REASONING = List.of("reasoning_content", "reasoning");

  private final Set<Integer> begun = new HashSet<>();
  private final Set<Integer> ended = new HashSet<>();
  private @Nullable ObjectNode answerFields;
  private boolean counted;

  /** The events of a chunk of a stream. */
  List<Event> ofChunk(JsonNode chunk) throws ProviderException {
    return of(chunk, "delta");
  }

  /**
   * The events of a whole answer.
   *
   * @param request to estimate the tokens if the server does not count
   */
  List<Event> ofAnswer(JsonNode answer, ChatRequest request) throws ProviderException {
    List<Event> events = of(answer, "message");
    if (begun.isEmpty()) {
      throw LineStream.invalidResponse(new IOException("the answer has no choice"));
    }
    events.addAll(endOpenChoices());
    if (!counted) {
      long characters = 0;
      for (Event event : events) {
        characters +=
            switch (event) {
              case Event.Text it -> it.text().length();
              case Event.Reasoning it -> it.text().length();
              case Event.ToolCall it -> it.arguments().length();
              default -> 0;
            };
      }
      int output = (int) ChatRequest.tokens(characters);
      events.add(
          new Event.UsageReport(new Usage(request.estimatedTokens(), 0, output, 0, true), null));
    }
    events.add(new Event.End(null));
    return events;
  }

  /** Whether at least one choice has ended, and no choice is unfinished. */
  boolean complete() {
    return !ended.isEmpty() && ended.containsAll(begun);
  }

  /** Whether the server has reported its count. */
  boolean counted() {
    return counted;
  }

  /** Ends the choices of a server that gives no reason. */
  List<Event> endOpenChoices() {
    List<Event> events = new ArrayList<>();
    for (Integer choice : begun) {
      if (ended.add(choice)) {
        events.add(new Event.ChoiceEnd(choice, FinishReason.STOP, null));
      }
    }
    if (ended.isEmpty()) {
      events.add(new Event.ChoiceEnd(0, FinishReason.STOP, null));
    }
    return events;
  }

  private List<Event> of(JsonNode json, String part) throws ProviderException {
    ProviderException error = ModelServerErrors.inAnswer(json);
    if (error != null) {
      throw error;
    }
    JsonNode choices = json.path("choices");
    if (!choices.isArray()) {
      throw LineStream.invalidResponse(new IOException("the response has no array 'choices'"));
    }
    List<Event> events = new ArrayList<>();
    ObjectNode fields = rest(json, ANSWER_FIELDS);
    if (fields != null && !fields.equals(answerFields)) {
      answerFields = fields;
      events.add(new Event.AnswerFields(fields));
    }
    for (JsonNode choice : choices) {
      choice(choice, part, events);
    }
    if (json.path("usage") instanceof ObjectNode usage) {
      counted = true;
      events.add(new Event.UsageReport(counted(usage), usage));
    }
    return events;
  }

  private void choice(JsonNode choice, String part, List<Event> events) throws ProviderException {
    int index = index(choice.path("index"));
    begun.add(index);
    JsonNode message = choice.path(part);
    ObjectNode rest = rest(message, MESSAGE_FIELDS);
    if (rest != null) {
      String reasoning = reasoning(rest);
      events.add(
          reasoning.isEmpty()
              ? new Event.MessageFields(index, rest)
              : new Event.Reasoning(index, reasoning, rest));
    }
    JsonNode content = message.path("content");
    if (content.isContainerNode() && !content.isEmpty()) { // parts instead of a text
      events.add(
          new Event.MessageFields(
              index, ((ObjectNode) message).objectNode().set("content", content)));
    }
    String text = content.asText("");
    JsonNode logprobs = choice.path("logprobs").isObject() ? choice.path("logprobs") : null;
    if (!text.isEmpty() || logprobs != null) {
      events.add(new Event.Text(index, text, logprobs));
    }
    int position = 0;
    for (JsonNode call : message.path("tool_calls")) {
      events.add(toolCall(index, position++, call));
    }
    String reason = choice.path("finish_reason").asText(""); // some servers send "" before the end
    ObjectNode fields = rest(choice, CHOICE_FIELDS);
    if (!reason.isBlank()) {
      ended.add(index);
      events.add(new Event.ChoiceEnd(index, FinishReason.of(reason), fields));
    } else if (fields != null) {
      events.add(new Event.ChoiceFields(index, fields));
    }
  }

  private static Event toolCall(int choice, int position, JsonNode call) {
    JsonNode function = call.path("function");
    return new Event.ToolCall(
        choice,
        call.path("index").asInt(position),
        call.path("id").textValue(),
        function.path("name").textValue(),
        function.path("arguments").asText(""),
        call);
  }

  private static String reasoning(ObjectNode fields) {
    for (String name : REASONING) {
      String text = fields.path(name).asText("");
      if (!text.isEmpty()) {
        return text;
      }
    }
    return "";
  }

  private static Usage counted(JsonNode usage) {
    int input = Math.max(0, usage.path("prompt_tokens").asInt());
    int cached = Math.clamp(usage.at("/prompt_tokens_details/cached_tokens").asInt(), 0, input);
    int output = Math.max(0, usage.path("completion_tokens").asInt());
    int reasoning =
        Math.clamp(usage.at("/completion_tokens_details/reasoning_tokens").asInt(), 0, output);
    return new Usage(input - cached, cached, output - reasoning, reasoning, false);
  }

  private static int index(JsonNode index) throws ProviderException {
    if (index.isMissingNode()) {
      return 0;
    }
    if (!index.canConvertToInt() || index.intValue() < 0 || index.intValue() >= MAX_CHOICES) {
      throw LineStream.invalidResponse(
          new IOException("a choice has an index that is not from 0 to 127"));
    }
    return index.intValue();
  }

  /** The other fields that are not empty; null if there are none. */
  private static @Nullable ObjectNode rest(JsonNode json, Set<String> known) {
    ObjectNode rest = null;
    for (Map.Entry<String, JsonNode> field : json.properties()) {
      JsonNode value = field.getValue();
      if (!known.contains(field.getKey()) && !empty(value)) {
        rest = rest == null ? ((ObjectNode) json).objectNode() : rest;
        rest.set(field.getKey(), value);
      }
    }
    return rest;
  }

  private static boolean empty(JsonNode value) {
    return value.isContainerNode()
        ? value.isEmpty()
        : value.isNull() || (value.isTextual() && value.textValue().isEmpty());
  }
}
