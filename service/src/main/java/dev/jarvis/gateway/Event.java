package dev.jarvis.gateway;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * A part of an answer. Providers translate what their servers send into events; dialects translate
 * events into what their clients expect. JSON from a server of OpenAI's dialect is kept, so that
 * clients of the same dialect lose nothing.
 */
public sealed interface Event {
  /** An estimate of the memory it takes, in bytes. */
  default long weight() {
    return 64;
  }

  /** Whether it holds output of the model: the first such event ends the time to first token. */
  default boolean says() {
    return false;
  }

  /**
   * A piece of text.
   *
   * @param choice index of the choice (OpenAI's {@code n} asks for several answers), from 0
   * @param logprobs of its tokens in OpenAI's form; null if they were not requested
   */
  record Text(int choice, String text, @Nullable JsonNode logprobs) implements Event {
    @Override
    public boolean says() {
      return !text.isEmpty();
    }

    @Override
    public long weight() {
      return 64 + 2L * text.length() + Event.weight(logprobs);
    }
  }

  /**
   * A piece of the model's reasoning.
   *
   * @param raw the fields of OpenAI's {@code delta} that carried it, with the server's field names;
   *     null from other dialects
   */
  record Reasoning(int choice, String text, @Nullable ObjectNode raw) implements Event {
    @Override
    public boolean says() {
      return true;
    }

    @Override
    public long weight() {
      return 64 + 2L * text.length() + Event.weight(raw);
    }
  }

  /**
   * A tool call, or the next piece of one.
   *
   * @param index of the call within the choice, from 0
   * @param id null except in the first piece
   * @param name null except in the first piece
   * @param arguments JSON, or the next piece of the JSON text
   * @param raw in OpenAI's form, as the server sent it; null from other dialects
   */
  record ToolCall(
      int choice,
      int index,
      @Nullable String id,
      @Nullable String name,
      String arguments,
      @Nullable JsonNode raw)
      implements Event {
    @Override
    public boolean says() {
      return true;
    }

    @Override
    public long weight() {
      return 128 + 2L * arguments.length() + Event.weight(raw);
    }
  }

  /** Fields of OpenAI's {@code delta} without an event of their own: refusal, images, audio. */
  record MessageFields(int choice, ObjectNode fields) implements Event {
    @Override
    public boolean says() {
      return true;
    }

    @Override
    public long weight() {
      return Event.weight(fields);
    }
  }

  /** Fields of a choice in OpenAI's form without an event of their own, before its end. */
  record ChoiceFields(int choice, ObjectNode fields) implements Event {
    @Override
    public long weight() {
      return Event.weight(fields);
    }
  }

  /**
   * Fields of a chunk or an answer in OpenAI's form without an event of their own, such as {@code
   * system_fingerprint} and {@code service_tier}; they apply from here on.
   */
  record AnswerFields(ObjectNode fields) implements Event {
    @Override
    public long weight() {
      return Event.weight(fields);
    }
  }

  /** The passages that the answer is grounded on; the first event. */
  record Citations(ObjectNode json) implements Event {
    @Override
    public long weight() {
      return Event.weight(json);
    }
  }

  /**
   * A choice is complete.
   *
   * @param fields of the choice in OpenAI's form without an event of their own; null if none
   */
  record ChoiceEnd(int choice, FinishReason reason, @Nullable ObjectNode fields) implements Event {
    @Override
    public long weight() {
      return 64 + Event.weight(fields);
    }
  }

  /**
   * The server's token count so far, or its final one.
   *
   * @param raw OpenAI's {@code usage} as the server sent it; null from other dialects
   */
  record UsageReport(Usage usage, @Nullable ObjectNode raw) implements Event {
    @Override
    public long weight() {
      return 64 + Event.weight(raw);
    }
  }

  /** Embeddings: one vector for each input, in the same order. */
  record Vectors(List<float[]> vectors) implements Event {
    @Override
    public long weight() {
      return vectors.stream().mapToLong(it -> 32 + 4L * it.length).sum();
    }
  }

  /**
   * Something that the client should know about the answer, learnt while it was generated.
   *
   * @param detail what it is about, for example the field that was corrected; printable ASCII
   */
  record Note(Kind kind, String detail) implements Event {
    /** What is told. */
    public enum Kind {
      /** The model server's answer was changed, because the specification settles what it means. */
      CORRECTED,
      /** The model did not see the whole prompt. */
      TRUNCATED;

      /** The name in {@code x-jarvis-} headers, {@code jarvis} objects and span attributes. */
      public String id() {
        return name().toLowerCase(Locale.ROOT);
      }
    }
  }

  /**
   * The last event.
   *
   * @param timings null if the provider reports none
   */
  record End(@Nullable Timings timings) implements Event {}

  private static long weight(@Nullable JsonNode json) {
    if (json == null) {
      return 0;
    }
    if (!json.isContainerNode()) {
      return 32 + (json.isTextual() ? 2L * json.textValue().length() : 0);
    }
    long weight = 96;
    for (JsonNode child : json) {
      weight += 48 + weight(child);
    }
    return weight;
  }
}
