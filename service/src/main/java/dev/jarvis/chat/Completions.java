package dev.jarvis.chat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jarvis.http.Json;
import dev.jarvis.model.ChatStream.Chunk;
import dev.jarvis.model.ChatStream.Reason;
import dev.jarvis.model.ChatStream.Usage;
import java.time.Instant;
import java.util.BitSet;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** OpenAI's {@code chat.completion} and {@code chat.completion.chunk} objects. */
final class Completions {
  private Completions() {}

  static ObjectNode whole(UUID id, String model, Choices choices, Usage usage) {
    ObjectNode body = head(id, "chat.completion", Instant.now().getEpochSecond(), model);
    body.set("choices", choices.json());
    body.set("usage", usage(usage));
    return body;
  }

  private static ObjectNode head(UUID id, String object, long created, String model) {
    return Json.object()
        .put("id", "chatcmpl-" + id.toString().replace("-", ""))
        .put("object", object)
        .put("created", created)
        .put("model", model);
  }

  private static ObjectNode usage(Usage usage) {
    ObjectNode json =
        Json.object()
            .put("prompt_tokens", usage.inputTokens())
            .put("completion_tokens", usage.outputTokens())
            .put("total_tokens", usage.inputTokens() + usage.outputTokens());
    json.putObject("prompt_tokens_details").put("cached_tokens", usage.cachedInputTokens());
    if (usage.estimated()) {
      json.put("estimated", true); // a field of ours: the model server did not count
    }
    return json;
  }

  /** The chunks of one stream. */
  static final class Chunks {
    private final UUID id;
    private final String model;
    private final boolean includeUsage;
    private final BitSet begun = new BitSet();
    private final long created = Instant.now().getEpochSecond();

    Chunks(UUID id, String model, boolean includeUsage) {
      this.id = id;
      this.model = model;
      this.includeUsage = includeUsage;
    }

    /** The first chunk of a choice. */
    ObjectNode role(int choice) {
      begun.set(choice);
      return chunk(choice, Json.object().put("role", "assistant").put("content", ""), null, null);
    }

    boolean begun(int choice) {
      return begun.get(choice);
    }

    ObjectNode piece(Chunk piece) {
      ObjectNode delta = Json.object();
      if (!piece.text().isEmpty()) {
        delta.put("content", piece.text());
      }
      if (piece.more() != null) {
        delta.setAll(piece.more());
      }
      return chunk(piece.choice(), delta, piece.logprobs(), null);
    }

    ObjectNode finish(int choice, Reason reason) {
      return chunk(choice, Json.object(), null, reason.id());
    }

    ObjectNode usage(Usage usage) {
      ObjectNode body = head(id, "chat.completion.chunk", created, model);
      body.putArray("choices");
      body.set("usage", Completions.usage(usage));
      return body;
    }

    private ObjectNode chunk(
        int index, ObjectNode delta, @Nullable JsonNode logprobs, @Nullable String finishReason) {
      ObjectNode body = head(id, "chat.completion.chunk", created, model);
      ObjectNode choice = body.putArray("choices").addObject().put("index", index);
      choice.set("delta", delta);
      choice.set("logprobs", logprobs);
      choice.put("finish_reason", finishReason);
      if (includeUsage) {
        body.putNull("usage"); // OpenAI: null on every chunk but the one that tells it
      }
      return body;
    }
  }
}
