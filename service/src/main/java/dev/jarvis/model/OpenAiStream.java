package dev.jarvis.model;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jarvis.json.SharedBuffers;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Server-sent events of {@code chat.completion.chunk} as an answer: {@code data:} lines up to
 * {@code [DONE]}. The use is in the last one before it; that of a server that tells none is
 * estimated, the output by pieces.
 */
final class OpenAiStream extends LineStream {
  private static final ObjectMapper JSON = SharedBuffers.mapper();
  private static final String DATA = "data:";

  private volatile Usage usage;
  private @Nullable Reason reason;

  /**
   * @param inputTokens about how many the question has, for a server that does not tell
   */
  OpenAiStream(InputStream body, Watchdog watchdog, Duration betweenTokens, int inputTokens) {
    super(body, watchdog, betweenTokens);
    usage = new Usage(inputTokens, 0, 0, true);
  }

  @Override
  public Usage usage() {
    return usage;
  }

  @Override
  List<Chunk> parse(byte[] line) throws ModelException {
    String text = new String(line, StandardCharsets.UTF_8).strip();
    if (!text.startsWith(DATA)) {
      return List.of(); // a comment, an event's name, the empty line between two events
    }
    String data = text.substring(DATA.length()).strip();
    if (data.equals("[DONE]")) {
      Reason ended = reason == null ? Reason.STOP : reason;
      return List.of(
          new Chunk(
              0, "", null, null, reason == null ? ended : null, new Finish(ended, usage, null)));
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
    if (event.path("usage").isObject()) {
      usage = counted(event.path("usage"));
    }
    JsonNode choices = event.path("choices");
    if (!choices.isArray()) {
      throw notUnderstood(new IOException("no choices in an event of the answer"));
    }
    List<Chunk> chunks = new ArrayList<>();
    for (JsonNode choice : choices) {
      Chunk chunk = choice(choice);
      if (chunk != null) {
        chunks.add(chunk);
      }
    }
    return chunks;
  }

  private static Usage counted(JsonNode told) {
    int input = Math.max(0, told.path("prompt_tokens").asInt());
    int cached = told.at("/prompt_tokens_details/cached_tokens").asInt();
    return new Usage(
        input,
        Math.clamp(cached, 0, input),
        Math.max(0, told.path("completion_tokens").asInt()),
        false);
  }

  private @Nullable Chunk choice(JsonNode choice) {
    Reason ended =
        choice.path("finish_reason").isTextual()
            ? Reason.of(choice.path("finish_reason").textValue())
            : null;
    if (reason == null) {
      reason = ended;
    }
    JsonNode content = choice.path("delta").path("content");
    String text = content.isTextual() ? content.textValue() : "";
    ObjectNode more = more(choice.path("delta"));
    JsonNode logprobs = choice.path("logprobs").isObject() ? choice.path("logprobs") : null;
    if (text.isEmpty() && more == null && logprobs == null && ended == null) {
      return null;
    }
    Chunk chunk = new Chunk(choice.path("index").asInt(), text, more, logprobs, ended, null);
    if (chunk.says() && usage.estimated()) {
      usage = usage.piece();
    }
    return chunk;
  }

  private static @Nullable ObjectNode more(JsonNode delta) {
    if (!(delta instanceof ObjectNode object)) {
      return null;
    }
    ObjectNode more = object.deepCopy().without(List.of("role", "content"));
    more.properties().removeIf(it -> it.getValue().isNull() || empty(it.getValue()));
    return more.isEmpty() ? null : more;
  }

  private static boolean empty(JsonNode value) {
    return value.isContainerNode() ? value.isEmpty() : value.asText().isEmpty();
  }
}
