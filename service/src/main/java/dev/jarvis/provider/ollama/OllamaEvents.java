package dev.jarvis.provider.ollama;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.jarvis.gateway.Event;
import dev.jarvis.gateway.FinishReason;
import dev.jarvis.gateway.Timings;
import dev.jarvis.gateway.Usage;
import dev.jarvis.json.SharedBuffers;
import dev.jarvis.provider.LineStream;
import dev.jarvis.provider.ModelServerErrors;
import dev.jarvis.provider.ProviderException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;

/** Translates the JSON objects of an answer of Ollama, whole or line by line, into events. */
final class OllamaEvents {
  private static final ObjectMapper JSON = SharedBuffers.mapper();

  private final OllamaTelemetry.OfModel telemetry;
  private int toolCalls;

  OllamaEvents(OllamaTelemetry.OfModel telemetry) {
    this.telemetry = telemetry;
  }

  /** The events of a whole answer. */
  List<Event> ofAnswer(JsonNode node) throws ProviderException {
    List<Event> events = of(node);
    if (events.isEmpty() || !(events.getLast() instanceof Event.End)) {
      throw LineStream.invalidResponse(new IOException("the answer is not marked as done"));
    }
    return events;
  }

  /** The events of a line of a stream. */
  List<Event> of(JsonNode node) throws ProviderException {
    ProviderException error = ModelServerErrors.inAnswer(node);
    if (error != null) {
      throw error;
    }
    JsonNode message = node.path("message");
    JsonNode content = message.path("content");
    if (!content.isTextual()) {
      throw LineStream.invalidResponse(new IOException("no message.content in the answer"));
    }
    List<Event> events = new ArrayList<>();
    String thinking = message.path("thinking").asText("");
    if (!thinking.isEmpty()) {
      events.add(new Event.Reasoning(0, thinking, null));
    }
    if (!content.textValue().isEmpty()) {
      events.add(new Event.Text(0, content.textValue(), null));
    }
    for (JsonNode call : message.path("tool_calls")) {
      events.add(toolCall(call.path("function")));
    }
    if (node.path("done").asBoolean()) {
      end(node, events);
    }
    return events;
  }

  private void end(JsonNode node, List<Event> events) {
    FinishReason reason =
        toolCalls > 0 ? FinishReason.TOOL_CALLS : reason(node.path("done_reason").asText());
    // Ollama 0.11 counts the whole prompt, cached or not; it omits a count of 0
    Usage usage =
        Usage.counted(
            Math.max(0, node.path("prompt_eval_count").asInt()),
            Math.max(0, node.path("eval_count").asInt()));
    Timings timings = OllamaTimings.of(node);
    if (timings != null) {
      telemetry.answered(timings, usage.outputTokens());
    }
    events.add(new Event.ChoiceEnd(0, reason, null));
    events.add(new Event.UsageReport(usage, null));
    events.add(new Event.End(timings));
  }

  /** Old versions of Ollama send no reason. */
  private static FinishReason reason(String done) {
    return done.isEmpty() ? FinishReason.STOP : FinishReason.of(done);
  }

  /** Ollama sends tool calls whole and without an id. */
  private Event toolCall(JsonNode function) throws ProviderException {
    try {
      return new Event.ToolCall(
          0,
          toolCalls++,
          "call_" + UUID.randomUUID().toString().replace("-", ""),
          function.path("name").asText(),
          JSON.writeValueAsString(function.path("arguments")),
          null);
    } catch (IOException e) {
      throw LineStream.invalidResponse(e);
    }
  }
}
