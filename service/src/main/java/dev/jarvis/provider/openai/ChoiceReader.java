package dev.jarvis.provider.openai;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jarvis.gateway.Event;
import dev.jarvis.gateway.FinishReason;
import dev.jarvis.provider.Corrections;
import dev.jarvis.provider.ProviderException;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Translates what a server sends about one choice. Its end is held back until nothing can follow
 * it, because some servers send the reason twice, or tool calls after it.
 */
final class ChoiceReader {
  private static final Set<String> CHOICE_FIELDS =
      Set.of("index", "delta", "message", "text", "finish_reason", "logprobs");
  private static final Set<String> MESSAGE_FIELDS = Set.of("role", "content", "tool_calls");
  private static final List<String> REASONING = List.of("reasoning_content", "reasoning");

  private final int index;
  private final Corrections corrections;
  private final ToolCalls toolCalls;
  private boolean wrote;
  private boolean calledFunction;
  private boolean ended;
  private @Nullable FinishReason held;
  private @Nullable ObjectNode endFields;

  ChoiceReader(int index, Corrections corrections) {
    this.index = index;
    this.corrections = corrections;
    this.toolCalls = new ToolCalls(index, corrections);
  }

  /** Whether the server has sent a reason for its end. */
  boolean ended() {
    return ended || held != null;
  }

  /**
   * Adds the events of a choice of a chunk or a whole answer.
   *
   * @param whole whether it is a whole answer, whose choices have a message instead of a delta
   */
  void read(JsonNode choice, boolean whole, List<Event> events) throws ProviderException {
    JsonNode delta = choice.path("delta");
    JsonNode message = choice.path("message");
    boolean isMessage =
        message.isObject() && (whole || !delta.isObject() || onlyIn(message, delta));
    JsonNode part = isMessage ? message : delta;
    if (part.isObject() && isMessage != whole) {
      corrections.report(whole ? "message" : "delta", events);
    }
    JsonNode logprobs = choice.path("logprobs").isObject() ? choice.path("logprobs") : null;
    part(part, choice.path("text"), logprobs, events);
    for (JsonNode call : list(part.path("tool_calls"))) {
      toolCalls.add(call, isMessage, events);
    }
    ObjectNode fields = OtherFields.of(choice, CHOICE_FIELDS);
    FinishReason reason = reason(choice.path("finish_reason"), events);
    if (reason != null) {
      hold(reason, fields, events);
    } else if (fields != null) {
      events.add(new Event.ChoiceFields(index, fields));
    }
  }

  /** Whether a chunk has everything in a message, and nothing was in any delta. */
  private boolean onlyIn(JsonNode message, JsonNode delta) {
    return !wrote
        && !message.isEmpty()
        && delta.properties().stream().allMatch(it -> OtherFields.isEmpty(it.getValue()));
  }

  private void part(
      JsonNode part, JsonNode completion, @Nullable JsonNode logprobs, List<Event> events) {
    int before = events.size();
    ObjectNode rest = OtherFields.of(part, MESSAGE_FIELDS);
    if (rest != null) {
      calledFunction |= rest.has("function_call");
      String reasoning = reasoning(rest);
      events.add(
          reasoning.isEmpty()
              ? new Event.MessageFields(index, rest)
              : new Event.Reasoning(index, reasoning, rest));
    }
    JsonNode content = part.path("content");
    if (!part.isObject() && completion.isTextual()) { // the form of text completions
      content = completion;
      corrections.report("content", events);
    }
    boolean textual = content.isTextual();
    if (!textual && !content.isMissingNode() && !content.isNull()) {
      Content.add(index, content, corrections, events);
    }
    String text = textual ? content.textValue() : "";
    if (!text.isEmpty() || logprobs != null) {
      events.add(new Event.Text(index, text, logprobs));
    }
    wrote |= events.size() > before;
  }

  /** A single object instead of a list is taken for its only element. */
  private static Iterable<JsonNode> list(JsonNode calls) {
    return calls.isObject() ? List.of(calls) : calls;
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

  /** Null before the end: some servers send an empty text then. */
  private @Nullable FinishReason reason(JsonNode value, List<Event> events) {
    if (value.isTextual()) {
      return value.textValue().isBlank() ? null : FinishReason.of(value.textValue());
    }
    boolean none =
        value.isMissingNode()
            || OtherFields.isEmpty(value)
            || (value.isValueNode() && !value.asBoolean());
    if (none) {
      return null;
    }
    corrections.report("finish_reason", events);
    return natural();
  }

  private void hold(FinishReason reason, @Nullable ObjectNode fields, List<Event> events) {
    if (ended()) {
      corrections.report("finish_reason", events);
    }
    if (held == null || !reason.equals(FinishReason.STOP)) {
      held = reason;
    }
    if (fields != null) {
      endFields = endFields == null ? fields : endFields.setAll(fields);
    }
  }

  /** Why a choice ends that was not cut short: OpenAI's specification defines it. */
  private FinishReason natural() {
    if (toolCalls.any()) {
      return FinishReason.TOOL_CALLS;
    }
    return calledFunction ? FinishReason.FUNCTION_CALL : FinishReason.STOP;
  }

  /** Adds the end of the choice if the server has sent it. */
  void release(List<Event> events) {
    FinishReason reason = held;
    if (reason == null || ended) {
      held = null;
      return;
    }
    if (reason.equals(FinishReason.STOP) && !reason.equals(natural())) {
      reason = natural();
      corrections.report("finish_reason", events);
    }
    end(reason, events);
  }

  /** Ends the choice in any case. */
  void finish(List<Event> events) {
    release(events);
    if (!ended) {
      corrections.report("finish_reason", events);
      end(natural(), events);
    }
  }

  private void end(FinishReason reason, List<Event> events) {
    ended = true;
    held = null;
    toolCalls.end(events);
    events.add(new Event.ChoiceEnd(index, reason, endFields));
  }
}
