package dev.jarvis.chat;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jarvis.http.Json;
import dev.jarvis.model.ChatStream.Finish;
import dev.jarvis.model.ChatStream.Reason;
import dev.jarvis.model.ChatStream.Usage;
import java.time.Instant;
import java.util.Locale;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** OpenAI's {@code chat.completion} and {@code chat.completion.chunk} objects. */
final class Completions {
  private Completions() {}

  static ObjectNode whole(UUID id, String model, CharSequence text, Finish finish) {
    ObjectNode body = head(id, "chat.completion", Instant.now().getEpochSecond(), model);
    ObjectNode choice = body.putArray("choices").addObject().put("index", 0);
    choice
        .putObject("message")
        .put("role", "assistant")
        .put("content", text.toString())
        .putNull("refusal");
    choice.putNull("logprobs").put("finish_reason", name(finish.reason()));
    body.set("usage", usage(finish.usage()));
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
    return Json.object()
        .put("prompt_tokens", usage.inputTokens())
        .put("completion_tokens", usage.outputTokens())
        .put("total_tokens", usage.inputTokens() + usage.outputTokens());
  }

  private static String name(Reason reason) {
    return reason.name().toLowerCase(Locale.ROOT);
  }

  /** The chunks of one stream. */
  static final class Chunks {
    private final UUID id;
    private final String model;
    private final boolean includeUsage;
    private final long created = Instant.now().getEpochSecond();

    Chunks(UUID id, String model, boolean includeUsage) {
      this.id = id;
      this.model = model;
      this.includeUsage = includeUsage;
    }

    ObjectNode role() {
      return chunk(Json.object().put("role", "assistant").put("content", ""), null);
    }

    ObjectNode text(String text) {
      return chunk(Json.object().put("content", text), null);
    }

    ObjectNode finish(Reason reason) {
      return chunk(Json.object(), name(reason));
    }

    ObjectNode usage(Usage usage) {
      ObjectNode body = head(id, "chat.completion.chunk", created, model);
      body.putArray("choices");
      body.set("usage", Completions.usage(usage));
      return body;
    }

    private ObjectNode chunk(ObjectNode delta, @Nullable String finishReason) {
      ObjectNode body = head(id, "chat.completion.chunk", created, model);
      ObjectNode choice = body.putArray("choices").addObject().put("index", 0);
      choice.set("delta", delta);
      choice.putNull("logprobs").put("finish_reason", finishReason);
      if (includeUsage) {
        body.putNull("usage"); // OpenAI: null on every chunk but the one that tells it
      }
      return body;
    }
  }
}
