package dev.jarvis.model;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;

/** Ollama's lines of JSON as an answer. */
final class OllamaStream extends LineStream {
  private static final ObjectMapper JSON = new ObjectMapper();

  private volatile Usage usage = new Usage(0, 0);

  OllamaStream(InputStream body, Watchdog watchdog, Duration betweenTokens) {
    super(body, watchdog, betweenTokens);
  }

  @Override
  public Usage usage() {
    return usage;
  }

  @Override
  Chunk parse(byte[] line) throws ModelException {
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
    if (!node.path("done").asBoolean()) {
      usage = new Usage(usage.inputTokens(), usage.outputTokens() + 1);
      return new Chunk(content.textValue(), null);
    }
    // Ollama 0.11 counts the whole prompt, cached or not; it leaves a count of 0 out.
    usage =
        new Usage(
            Math.max(0, node.path("prompt_eval_count").asInt()),
            Math.max(0, node.path("eval_count").asInt()));
    Reason reason =
        node.path("done_reason").asText().equals("length") ? Reason.LENGTH : Reason.STOP;
    return new Chunk(content.textValue(), new Finish(reason, usage, OllamaTimings.of(node)));
  }
}
