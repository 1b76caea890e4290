package dev.jarvis.model;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jarvis.gateway.ChatRequest;
import dev.jarvis.gateway.Event;
import dev.jarvis.gateway.Reason;
import dev.jarvis.gateway.Timings;
import dev.jarvis.gateway.Usage;
import dev.jarvis.http.Json;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Requests and answers, in short. */
final class Chats {
  private static final Duration LIMIT = Duration.ofMinutes(10);

  private Chats() {}

  /** All events of an answer, the end included. */
  record Answer(List<Event> events) {
    /** The text of all choices, one piece after the other. */
    String text() {
      return of(Event.Text.class).stream().map(Event.Text::text).collect(Collectors.joining());
    }

    /** That of the choice that ended first. */
    Reason reason() {
      return of(Event.ChoiceEnd.class).getFirst().reason();
    }

    /** The last count. */
    Usage usage() {
      return of(Event.UsageReport.class).getLast().usage();
    }

    @Nullable Timings timings() {
      return of(Event.End.class).getLast().timings();
    }

    <T extends Event> List<T> of(Class<T> type) {
      return events.stream().filter(type::isInstance).map(type::cast).toList();
    }
  }

  static ChatRequest request(String model, String question) {
    ObjectNode body = Json.object();
    body.putArray("messages").add(message("user", question).json());
    return new ChatRequest(model, body);
  }

  static ChatRequest.Message message(String role, String content) {
    return new ChatRequest.Message(Json.object().put("role", role).put("content", content));
  }

  /** Greedy, so that the answer is the same each time. */
  static ChatRequest greedy(String model, String question, int maxTokens, String... stop) {
    ChatRequest request = request(model, question);
    request.body().put("temperature", 0).put("max_tokens", maxTokens).put("seed", 1);
    List.of(stop).forEach(request.body().putArray("stop")::add);
    return request;
  }

  /** Asked for piece by piece. */
  static Ask stream(ChatRequest request) {
    return new Ask(request, request.model(), true, LIMIT);
  }

  /** Asked for as a whole. */
  static Ask whole(ChatRequest request) {
    return new Ask(request, request.model(), false, LIMIT);
  }

  /** Reads to the end. */
  static Answer read(EventSource source) throws ModelException {
    List<Event> events = new ArrayList<>();
    do {
      events.add(source.next());
    } while (!(events.getLast() instanceof Event.End));
    return new Answer(events);
  }

  /** Asks, and reads to the end. */
  static Answer ask(ModelProvider provider, Ask ask) throws ModelException {
    try (EventSource source = provider.chat(ask)) {
      return read(source);
    }
  }
}
