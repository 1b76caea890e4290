package dev.jarvis.model;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * Server-sent events of {@code chat.completion.chunk} as an answer: {@code data:} lines up to
 * {@code [DONE]}. The use is in the last one before it; a server that tells none is counted by
 * pieces.
 */
final class OpenAiStream extends LineStream {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String DATA = "data:";

  private volatile Usage usage = new Usage(0, 0);
  private @Nullable Reason reason;

  OpenAiStream(InputStream body, Watchdog watchdog, Duration betweenTokens) {
    super(body, watchdog, betweenTokens);
  }

  @Override
  public Usage usage() {
    return usage;
  }

  @Override
  @Nullable Chunk parse(byte[] line) throws ModelException {
    String text = new String(line, StandardCharsets.UTF_8).strip();
    if (!text.startsWith(DATA)) {
      return null; // a comment, an event's name, the empty line between two events
    }
    String data = text.substring(DATA.length()).strip();
    if (data.equals("[DONE]")) {
      return new Chunk("", new Finish(reason == null ? Reason.STOP : reason, usage, null));
    }
    JsonNode event;
    try {
      event = JSON.readTree(data);
    } catch (IOException e) {
      throw notUnderstood(e);
    }
    if (event.hasNonNull("error")) {
      // The text may name addresses of the server: for the log, not for the client.
      throw new ModelException.Unavailable(
          "The model server failed in its answer.", new IOException(ModelError.text(event)));
    }
    JsonNode told = event.path("usage");
    if (told.isObject()) {
      usage =
          new Usage(
              Math.max(0, told.path("prompt_tokens").asInt()),
              Math.max(0, told.path("completion_tokens").asInt()));
    }
    JsonNode choices = event.path("choices");
    if (!choices.isArray()) {
      throw notUnderstood(new IOException("no choices in an event of the answer"));
    }
    return choice(choices.path(0), told.isObject());
  }

  private @Nullable Chunk choice(JsonNode choice, boolean counted) {
    if (choice.path("finish_reason").isTextual()) {
      reason =
          choice.path("finish_reason").textValue().equals("length") ? Reason.LENGTH : Reason.STOP;
    }
    JsonNode content = choice.path("delta").path("content");
    String text = content.isTextual() ? content.textValue() : "";
    if (text.isEmpty()) {
      return null;
    }
    if (!counted) {
      usage = new Usage(usage.inputTokens(), usage.outputTokens() + 1);
    }
    return new Chunk(text, null);
  }
}
