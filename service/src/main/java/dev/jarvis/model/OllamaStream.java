package dev.jarvis.model;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jarvis.json.SharedBuffers;
import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** Ollama's lines of JSON as an answer. */
final class OllamaStream extends LineStream {
  private static final ObjectMapper JSON = SharedBuffers.mapper();

  private volatile Usage usage;
  private int toolCalls;

  /**
   * @param inputTokens about how many the question has: Ollama tells them at the end only
   */
  OllamaStream(InputStream body, Duration betweenTokens, int inputTokens) {
    super(body, betweenTokens);
    usage = new Usage(inputTokens, 0, 0, true);
  }

  @Override
  public Usage usage() {
    return usage;
  }

  @Override
  List<Chunk> parse(byte[] line) throws ModelException {
    JsonNode node;
    try {
      node = JSON.readTree(line);
    } catch (IOException e) {
      throw notUnderstood(e);
    }
    if (node.hasNonNull("error")) {
      // The text may name addresses of the server: for the log, not for the client.
      throw new ModelException.Unavailable(
          "The model server failed in its answer.", new IOException(ModelError.text(node)));
    }
    JsonNode content = node.path("message").path("content");
    if (!content.isTextual()) {
      throw notUnderstood(new IOException("no message.content in a line of the answer"));
    }
    ObjectNode more = more(node.path("message"));
    if (!node.path("done").asBoolean()) {
      usage = usage.piece();
      return List.of(new Chunk(0, content.textValue(), more, null, null, null));
    }
    // Ollama 0.11 counts the whole prompt, cached or not; it leaves a count of 0 out.
    usage =
        new Usage(
            Math.max(0, node.path("prompt_eval_count").asInt()),
            Math.max(0, node.path("eval_count").asInt()));
    Reason reason = toolCalls > 0 ? Reason.TOOL_CALLS : reason(node.path("done_reason").asText());
    Finish finish = new Finish(reason, usage, OllamaTimings.of(node));
    return List.of(new Chunk(0, content.textValue(), more, null, reason, finish));
  }

  /** Old versions of Ollama give no reason. */
  private static Reason reason(String done) {
    return done.isEmpty() ? Reason.STOP : Reason.of(done);
  }

  private @Nullable ObjectNode more(JsonNode message) throws ModelException {
    ObjectNode more = JSON.createObjectNode();
    if (message.hasNonNull("thinking")) {
      more.set("reasoning_content", message.get("thinking"));
    }
    for (JsonNode call : message.path("tool_calls")) {
      more.withArray("tool_calls").add(toolCall(call.path("function")));
    }
    return more.isEmpty() ? null : more;
  }

  /** Ollama's calls come whole and without an id. */
  private ObjectNode toolCall(JsonNode function) throws ModelException {
    String arguments;
    try {
      arguments = JSON.writeValueAsString(function.path("arguments"));
    } catch (IOException e) {
      throw notUnderstood(e);
    }
    ObjectNode call =
        JSON.createObjectNode()
            .put("index", toolCalls)
            .put("id", "call_" + UUID.randomUUID().toString().replace("-", ""))
            .put("type", "function");
    call.putObject("function")
        .put("name", function.path("name").asText())
        .put("arguments", arguments);
    toolCalls++;
    return call;
  }
}
