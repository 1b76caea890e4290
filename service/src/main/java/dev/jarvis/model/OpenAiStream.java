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
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Server-sent events of {@code chat.completion.chunk} as an answer: {@code data:} lines up to
 * {@code [DONE]}, which a server may leave out if it has sent the reason and the use. The use is in
 * the last one; that of a server that tells none is estimated, the output by pieces.
 */
final class OpenAiStream extends LineStream {
  private static final ObjectMapper JSON = SharedBuffers.mapper();
  private static final String DATA = "data:";

  /** OpenAI's limit for {@code n}. */
  private static final int MAX_CHOICES = 128;

  private volatile Usage usage;
  private @Nullable Reason reason;
  private int reasonsChoice;

  private final Set<Integer> begun = new HashSet<>();
  private final Set<Integer> ended = new HashSet<>();

  /**
   * @param inputTokens about how many the question has, for a server that does not tell
   */
  OpenAiStream(InputStream body, Duration betweenTokens, int inputTokens) {
    super(body, betweenTokens);
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
      return List.of(last());
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

  /** The body's end is as good as the mark once everything that comes before it was sent. */
  @Override
  List<Chunk> bodyEnded() throws IOException {
    return reason != null && ended.containsAll(begun) && !usage.estimated()
        ? List.of(last())
        : super.bodyEnded();
  }

  private Chunk last() {
    Reason why = reason == null ? Reason.STOP : reason;
    return new Chunk(0, "", null, null, reason == null ? why : null, new Finish(why, usage, null));
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

  private @Nullable Chunk choice(JsonNode choice) throws ModelException {
    int index = index(choice.path("index"));
    String told = choice.path("finish_reason").asText(""); // some send an empty one before the end
    Reason why = told.isBlank() ? null : Reason.of(told);
    begun.add(index);
    if (why != null) {
      ended.add(index);
      if (reason == null || index < reasonsChoice) {
        reason = why;
        reasonsChoice = index;
      }
    }
    JsonNode content = choice.path("delta").path("content");
    String text = content.isTextual() ? content.textValue() : "";
    ObjectNode more = more(choice.path("delta"));
    JsonNode logprobs = choice.path("logprobs").isObject() ? choice.path("logprobs") : null;
    if (text.isEmpty() && more == null && logprobs == null && why == null) {
      return null;
    }
    Chunk chunk = new Chunk(index, text, more, logprobs, why, null);
    if (chunk.says() && usage.estimated()) {
      usage = usage.piece();
    }
    return chunk;
  }

  private static int index(JsonNode told) throws ModelException {
    if (told.isMissingNode()) {
      return 0;
    }
    if (!told.canConvertToInt() || told.intValue() < 0 || told.intValue() >= MAX_CHOICES) {
      throw notUnderstood(new IOException("the index of a choice is not from 0 to 127"));
    }
    return told.intValue();
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
