package dev.jarvis.dialect.openai;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jarvis.gateway.Event;
import dev.jarvis.gateway.Notes;
import dev.jarvis.gateway.Usage;
import dev.jarvis.json.Json;
import java.time.Instant;
import java.util.BitSet;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** OpenAI's {@code chat.completion} and {@code chat.completion.chunk} objects. */
final class Completions {
  private Completions() {}

  static ObjectNode whole(UUID id, String model, Choices choices) {
    ObjectNode body = head(id, "chat.completion", Instant.now().getEpochSecond(), model);
    body.set("choices", choices.json());
    if (choices.usage() != null) {
      body.set("usage", usage(choices.usage()));
    }
    body.setAll(choices.answerFields());
    return body;
  }

  private static ObjectNode head(UUID id, String object, long created, String model) {
    return Json.object()
        .put("id", "chatcmpl-" + id.toString().replace("-", ""))
        .put("object", object)
        .put("created", created)
        .put("model", model);
  }

  /** The reported usage, with the fields that OpenAI's clients expect even if they are zero. */
  private static ObjectNode usage(Event.UsageReport report) {
    Usage usage = report.usage();
    ObjectNode json =
        Json.object()
            .put("prompt_tokens", usage.inputTokens())
            .put("completion_tokens", usage.outputTokens())
            .put("total_tokens", usage.inputTokens() + usage.outputTokens());
    json.putObject("prompt_tokens_details").put("cached_tokens", usage.cachedInputTokens());
    boolean reasons =
        report.raw() != null
            && report.raw().path("completion_tokens_details").hasNonNull("reasoning_tokens");
    if (usage.reasoningTokens() > 0 || reasons) {
      json.putObject("completion_tokens_details").put("reasoning_tokens", usage.reasoningTokens());
    }
    if (usage.estimated()) {
      json.put("estimated", true); // a field of JARVIS: the model server reported no usage
    }
    if (report.raw() != null) {
      for (Map.Entry<String, JsonNode> field : report.raw().properties()) {
        if (json.get(field.getKey()) instanceof ObjectNode known
            && field.getValue() instanceof ObjectNode details) {
          details.properties().forEach(it -> known.putIfAbsent(it.getKey(), it.getValue()));
        } else if (!json.has(field.getKey())) {
          json.set(field.getKey(), field.getValue());
        }
      }
    }
    return json;
  }

  /** Receives the chunks of a stream. */
  interface Sink {
    void send(ObjectNode chunk) throws EventStream.ClientGone;
  }

  /** The chunks of one stream. */
  static final class Chunks {
    private final UUID id;
    private final String model;
    private final boolean includeUsage;
    private final BitSet begun = new BitSet();
    private final long created = Instant.now().getEpochSecond();
    private final ObjectNode answerFields = Json.object();
    private final Notes notes = new Notes();
    private @Nullable ObjectNode citations;
    private Event.@Nullable UsageReport usage;

    Chunks(UUID id, String model, boolean includeUsage) {
      this.id = id;
      this.model = model;
      this.includeUsage = includeUsage;
    }

    /** Sends the chunks for an event. */
    void of(Event event, Sink to) throws EventStream.ClientGone {
      switch (event) {
        case Event.Text it -> {
          begin(it.choice(), to);
          ObjectNode delta = Json.object();
          if (!it.text().isEmpty()) {
            delta.put("content", it.text());
          }
          if (!delta.isEmpty() || it.logprobs() != null) {
            to.send(chunk(it.choice(), delta, it.logprobs(), null, null));
          }
        }
        case Event.Reasoning it -> delta(it.choice(), DeltaJson.reasoning(it), to);
        case Event.ToolCall it -> {
          ObjectNode delta = Json.object();
          delta.putArray("tool_calls").add(DeltaJson.toolCall(it));
          delta(it.choice(), delta, to);
        }
        case Event.MessageFields it -> delta(it.choice(), it.fields(), to);
        case Event.ChoiceEnd it -> {
          begin(it.choice(), to);
          to.send(chunk(it.choice(), Json.object(), null, it.reason().id(), it.fields()));
        }
        case Event.ChoiceFields it -> {
          begin(it.choice(), to);
          to.send(chunk(it.choice(), Json.object(), null, null, it.fields()));
        }
        case Event.AnswerFields it -> answerFields.setAll(it.fields());
        case Event.Note it -> notes.add(it);
        case Event.Citations it -> citations = it.json();
        case Event.UsageReport it -> usage = it;
        case Event.Vectors it -> throw new IllegalStateException("a chat has no vectors");
        case Event.End it -> {}
      }
    }

    /**
     * The chunk with the token usage.
     *
     * @param late what the response headers would say, had it been known before they were sent
     */
    ObjectNode usage(ObjectNode late) {
      ObjectNode body = head(id, "chat.completion.chunk", created, model);
      body.putArray("choices");
      if (usage != null) {
        body.set("usage", Completions.usage(usage));
      }
      if (!late.isEmpty()) {
        body.set("jarvis", late);
      }
      body.setAll(answerFields);
      return body;
    }

    Notes notes() {
      return notes;
    }

    private void delta(int choice, ObjectNode delta, Sink to) throws EventStream.ClientGone {
      begin(choice, to);
      to.send(chunk(choice, delta, null, null, null));
    }

    /** The first chunk of a choice has the role, the very first one the citations. */
    private void begin(int choice, Sink to) throws EventStream.ClientGone {
      if (begun.get(choice)) {
        return;
      }
      begun.set(choice);
      ObjectNode role = Json.object().put("role", "assistant").put("content", "");
      ObjectNode chunk = chunk(choice, role, null, null, null);
      if (citations != null) {
        chunk.set("grounding", citations);
        citations = null;
      }
      to.send(chunk);
    }

    private ObjectNode chunk(
        int index,
        ObjectNode delta,
        @Nullable JsonNode logprobs,
        @Nullable String finishReason,
        @Nullable ObjectNode fields) {
      ObjectNode body = head(id, "chat.completion.chunk", created, model);
      ObjectNode choice = body.putArray("choices").addObject().put("index", index);
      choice.set("delta", delta);
      choice.set("logprobs", logprobs);
      choice.put("finish_reason", finishReason);
      if (fields != null) {
        choice.setAll(fields);
      }
      body.setAll(answerFields);
      if (includeUsage) {
        body.putNull("usage"); // OpenAI sends null in every chunk but the one that has it
      }
      return body;
    }
  }
}
