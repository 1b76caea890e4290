package dev.jarvis.provider.ollama;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.jarvis.gateway.ChatRequest;
import dev.jarvis.gateway.Event;
import dev.jarvis.gateway.FinishReason;
import dev.jarvis.gateway.Timings;
import dev.jarvis.gateway.Usage;
import dev.jarvis.json.SharedBuffers;
import dev.jarvis.provider.Corrections;
import dev.jarvis.provider.Counts;
import dev.jarvis.provider.LineStream;
import dev.jarvis.provider.ModelServerErrors;
import dev.jarvis.provider.ProviderException;
import dev.jarvis.provider.WholeAnswer;
import dev.jarvis.provider.WrittenTokens;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** Translates the JSON objects of an answer of Ollama, whole or line by line, into events. */
final class OllamaEvents {
  private static final ObjectMapper JSON = SharedBuffers.mapper();

  private final OllamaTelemetry.OfModel telemetry;
  private final Corrections corrections = new Corrections();
  private int toolCalls;
  private boolean wrote;

  OllamaEvents(OllamaTelemetry.OfModel telemetry) {
    this.telemetry = telemetry;
  }

  /**
   * The events of a whole answer.
   *
   * @param request to estimate the tokens if the server does not count
   */
  List<Event> ofAnswer(WholeAnswer answer, ChatRequest request) throws ProviderException {
    List<Event> events = new ArrayList<>();
    for (JsonNode value : answer.values()) {
      events.addAll(of(value));
      if (isEnd(events)) {
        break;
      }
    }
    if (!isEnd(events)) {
      throw LineStream.invalidResponse(new IOException("the answer is not marked as done"));
    }
    Event end = events.removeLast();
    if (answer.pieces()) {
      corrections.report("framing", events);
    }
    if (events.stream().noneMatch(Event.UsageReport.class::isInstance)) {
      events.add(new Event.UsageReport(WrittenTokens.estimate(request, events), null));
    }
    events.add(end);
    return events;
  }

  private static boolean isEnd(List<Event> events) {
    return !events.isEmpty() && events.getLast() instanceof Event.End;
  }

  /** The events of a line of a stream. */
  List<Event> of(JsonNode node) throws ProviderException {
    ProviderException error = ModelServerErrors.inAnswer(node);
    if (error != null) {
      throw error;
    }
    boolean done = node.path("done").asBoolean();
    JsonNode message = node.path("message");
    JsonNode content = message.path("content");
    if (!node.isObject() || (message.isEmpty() && !done) || isNoText(content)) {
      throw LineStream.invalidResponse(new IOException("no message.content in the answer"));
    }
    List<Event> events = new ArrayList<>();
    String thinking = message.path("thinking").asText("");
    if (!thinking.isEmpty()) {
      events.add(new Event.Reasoning(0, thinking, null));
    }
    text(content, events);
    for (JsonNode call : message.path("tool_calls")) {
      events.add(toolCall(call, events));
    }
    wrote |= !events.isEmpty();
    if (done) {
      end(node, events);
    }
    return events;
  }

  private static boolean isNoText(JsonNode content) {
    return content.isObject() || content.isNumber() || content.isBoolean();
  }

  /** Text, or parts of it. */
  private void text(JsonNode content, List<Event> events) throws ProviderException {
    if (content.isTextual() && !content.textValue().isEmpty()) {
      events.add(new Event.Text(0, content.textValue(), null));
    }
    for (JsonNode part : content) {
      JsonNode text = part.isTextual() ? part : part.path("text");
      if (!text.isTextual()) {
        throw LineStream.invalidResponse(new IOException("a part of the content is no text"));
      }
      corrections.report("content", events);
      events.add(new Event.Text(0, text.textValue(), null));
    }
  }

  private void end(JsonNode node, List<Event> events) {
    FinishReason reason =
        toolCalls > 0 ? FinishReason.TOOL_CALLS : reason(node.path("done_reason").asText());
    Timings timings = OllamaTimings.of(node);
    events.add(new Event.ChoiceEnd(0, reason, null));
    Usage usage = usage(node);
    if (usage != null) {
      events.add(new Event.UsageReport(usage, null));
    }
    if (timings != null) {
      telemetry.answered(timings, usage == null ? 0 : usage.outputTokens());
    }
    if (usage == null) {
      corrections.report("usage", events);
    }
    events.add(new Event.End(timings));
  }

  /**
   * Ollama 0.11 counts the whole prompt, cached or not, and omits a count of 0. Null if the counts
   * cannot be: a question has at least one token.
   */
  private @Nullable Usage usage(JsonNode node) {
    int input = Counts.of(node.path("prompt_eval_count"));
    int output = Counts.of(node.path("eval_count"));
    boolean possible =
        input > 0
            && output != Counts.IMPOSSIBLE
            && !(wrote && output <= 0)
            && input <= Integer.MAX_VALUE - Math.max(0, output);
    return possible ? Usage.counted(input, Math.max(0, output)) : null;
  }

  /** Old versions of Ollama send no reason. */
  private static FinishReason reason(String done) {
    return done.isEmpty() ? FinishReason.STOP : FinishReason.of(done);
  }

  /** Ollama sends tool calls whole; old versions without an id. */
  private Event toolCall(JsonNode call, List<Event> events) throws ProviderException {
    JsonNode function = call.path("function");
    String id = call.path("id").asText("");
    try {
      return new Event.ToolCall(
          0,
          toolCalls++,
          id.isEmpty() ? "call_" + UUID.randomUUID().toString().replace("-", "") : id,
          function.path("name").asText(),
          arguments(function.path("arguments"), events),
          null);
    } catch (IOException e) {
      throw LineStream.invalidResponse(e);
    }
  }

  private String arguments(JsonNode arguments, List<Event> events) throws IOException {
    if (arguments.isObject()) {
      return JSON.writeValueAsString(arguments);
    }
    corrections.report("tool_calls.arguments", events);
    if (arguments.isTextual() && !arguments.textValue().isBlank()) {
      return arguments.textValue(); // JSON already
    }
    boolean none = arguments.isMissingNode() || arguments.isNull() || arguments.isTextual();
    return none ? "{}" : JSON.writeValueAsString(arguments);
  }
}
