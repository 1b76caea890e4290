package dev.jarvis.gateway.cache;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonSubTypes;
import com.fasterxml.jackson.annotation.JsonTypeInfo;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.jarvis.gateway.Event;
import dev.jarvis.gateway.TargetName;
import dev.jarvis.gateway.Usage;
import dev.jarvis.json.SharedBuffers;
import java.util.List;
import java.util.Optional;

/** Reads and writes cached answers as JSON. */
final class EventJson {
  /** Adds the type of each event to its JSON. */
  @JsonTypeInfo(use = JsonTypeInfo.Id.NAME, property = "type")
  @JsonSubTypes({
    @JsonSubTypes.Type(value = Event.Text.class, name = "text"),
    @JsonSubTypes.Type(value = Event.Reasoning.class, name = "reasoning"),
    @JsonSubTypes.Type(value = Event.ToolCall.class, name = "tool_call"),
    @JsonSubTypes.Type(value = Event.MessageFields.class, name = "message_fields"),
    @JsonSubTypes.Type(value = Event.ChoiceFields.class, name = "choice_fields"),
    @JsonSubTypes.Type(value = Event.AnswerFields.class, name = "answer_fields"),
    @JsonSubTypes.Type(value = Event.ChoiceEnd.class, name = "choice_end"),
    @JsonSubTypes.Type(value = Event.UsageReport.class, name = "usage"),
    @JsonSubTypes.Type(value = Event.Note.class, name = "note"),
  })
  private interface Typed {}

  /** A count that is zero is left out, so that replicas without its kind read the entry too. */
  @JsonInclude(JsonInclude.Include.NON_DEFAULT)
  private interface WithoutZeros {}

  private record Entry(TargetName target, List<Event> events) {}

  private static final ObjectMapper JSON =
      SharedBuffers.builder()
          .addMixIn(Event.class, Typed.class)
          .addMixIn(Usage.class, WithoutZeros.class)
          .defaultPropertyInclusion(JsonInclude.Value.ALL_NON_NULL)
          .build();

  private EventJson() {}

  static String write(CachedAnswer answer) {
    try {
      return JSON.writeValueAsString(new Entry(answer.target(), answer.events()));
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("events can always be written", e);
    }
  }

  /** Empty if the text is not a complete cached answer. */
  static Optional<CachedAnswer> read(String text) {
    try {
      Entry entry = JSON.readValue(text, Entry.class);
      CachedAnswer answer = new CachedAnswer(entry.target(), entry.events());
      return answer.complete() ? Optional.of(answer) : Optional.empty();
    } catch (JsonProcessingException | RuntimeException e) {
      return Optional.empty();
    }
  }
}
