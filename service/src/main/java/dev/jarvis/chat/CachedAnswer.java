package dev.jarvis.chat;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jarvis.http.Json;
import dev.jarvis.json.SharedBuffers;
import dev.jarvis.model.ChatStream.Chunk;
import dev.jarvis.model.ChatStream.Finish;
import dev.jarvis.model.ChatStream.Reason;
import dev.jarvis.model.ChatStream.Usage;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A whole answer to be given again.
 *
 * @param model who gave it
 * @param choices in OpenAI's form
 * @param usage what it took then
 */
record CachedAnswer(String provider, String model, ArrayNode choices, Usage usage) {
  private static final ObjectMapper MAPPER = SharedBuffers.mapper();

  /** As Redis keeps it. */
  String text() {
    ObjectNode json = Json.object().put("provider", provider).put("model", model);
    json.set("choices", choices);
    json.put("input", usage.inputTokens()).put("cached", usage.cachedInputTokens());
    return json.put("output", usage.outputTokens()).put("estimated", usage.estimated()).toString();
  }

  /** Empty if it is none. */
  static Optional<CachedAnswer> of(String text) {
    try {
      JsonNode json = MAPPER.readTree(text);
      if (!(json.path("choices") instanceof ArrayNode choices) || choices.isEmpty()) {
        return Optional.empty();
      }
      Usage usage =
          new Usage(
              json.path("input").asInt(),
              json.path("cached").asInt(),
              json.path("output").asInt(),
              json.path("estimated").asBoolean());
      return Optional.of(
          new CachedAnswer(
              json.path("provider").asText(), json.path("model").asText(), choices, usage));
    } catch (JsonProcessingException e) {
      return Optional.empty();
    }
  }

  /** Why its first choice ended. */
  String finishReason() {
    return choices.path(0).path("finish_reason").asText();
  }

  /** The same in pieces, as a model gives it: one for each choice, and the end. */
  Answer answer() {
    Iterator<Chunk> chunks = chunks().iterator();
    return new Answer() {
      @Override
      public Chunk next() {
        return chunks.next();
      }

      @Override
      public void abort() {}
    };
  }

  private List<Chunk> chunks() {
    List<Chunk> chunks = new ArrayList<>();
    for (JsonNode choice : choices) {
      chunks.add(
          new Chunk(
              choice.path("index").asInt(),
              choice.at("/message/content").asText(""),
              more(choice.path("message")),
              choice.path("logprobs").isObject() ? choice.path("logprobs") : null,
              Reason.of(choice.path("finish_reason").asText()),
              null));
    }
    Finish finish = new Finish(Reason.of(finishReason()), usage, null);
    chunks.add(new Chunk(0, "", null, null, null, finish));
    return chunks;
  }

  private static @Nullable ObjectNode more(JsonNode message) {
    ObjectNode more = Json.object();
    for (var field : message.properties()) {
      boolean shown = field.getKey().equals("role") || field.getKey().equals("content");
      if (!shown && !field.getValue().isNull()) {
        more.set(field.getKey(), field.getValue().deepCopy());
      }
    }
    int index = 0;
    for (JsonNode call : more.path("tool_calls")) {
      ((ObjectNode) call).put("index", index++);
    }
    return more.isEmpty() ? null : more;
  }
}
