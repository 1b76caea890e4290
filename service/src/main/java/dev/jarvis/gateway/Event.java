package dev.jarvis.gateway;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A part of an answer. Providers translate what their servers send into events; dialects translate
 * events into what their clients expect. JSON that a server of OpenAI's dialect sent rides along,
 * so that clients of the same dialect lose nothing.
 */
public sealed interface Event {
  /** About how much memory it takes, in bytes. */
  default long weight() {
    return 64;
  }

  /** Whether the model said something: the first of these ends the time to first token. */
  default boolean says() {
    return false;
  }

  /**
   * A piece of text.
   *
   * @param choice which of several answers to the same question, from 0
   * @param logprobs of its tokens in OpenAI's form; null where they were not asked for
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
   * A piece of the model's thoughts.
   *
   * @param raw the fields of OpenAI's {@code delta} that carried it, under the server's own names;
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
   * @param index which call of the choice, from 0
   * @param id null in all pieces but the first
   * @param name null in all pieces but the first
   * @param arguments JSON, or the next piece of its text
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

  /** Fields of OpenAI's {@code delta} that no other event stands for: refusal, images, audio. */
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

  /** Fields of a choice in OpenAI's form that no other event stands for, before its end. */
  record ChoiceFields(int choice, ObjectNode fields) implements Event {
    @Override
    public long weight() {
      return Event.weight(fields);
    }
  }

  /**
   * Fields of a chunk or an answer in OpenAI's form that no other event stands for, such as {@code
   * system_fingerprint} and {@code service_tier}; they hold from here on.
   */
  record AnswerFields(ObjectNode fields) implements Event {
    @Override
    public long weight() {
      return Event.weight(fields);
    }
  }

  /** The passages that the answer is grounded on; comes first. */
  record Citations(ObjectNode json) implements Event {
    @Override
    public long weight() {
      return Event.weight(json);
    }
  }

  /**
   * A choice is complete.
   *
   * @param fields of the choice in OpenAI's form that no other event stands for; null if none
   */
  record ChoiceEnd(int choice, FinishReason reason, @Nullable ObjectNode fields) implements Event {
    @Override
    public long weight() {
      return 64 + Event.weight(fields);
    }
  }

  /**
   * The tokens so far by the server's count, or its final count.
   *
   * @param raw OpenAI's {@code usage} as the server sent it; null from other dialects
   */
  record UsageReport(Usage usage, @Nullable ObjectNode raw) implements Event {
    @Override
    public long weight() {
      return 64 + Event.weight(raw);
    }
  }

  /** Texts as vectors: one for each input, in their order. */
  record Vectors(List<float[]> vectors) implements Event {
    @Override
    public long weight() {
      return vectors.stream().mapToLong(it -> 32 + 4L * it.length).sum();
    }
  }

  /**
   * The last event.
   *
   * @param timings null from a provider that reports none
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
