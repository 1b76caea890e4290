package dev.jarvis.provider;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jarvis.gateway.ChatRequest;
import dev.jarvis.gateway.Event;
import dev.jarvis.gateway.FinishReason;
import dev.jarvis.gateway.Timings;
import dev.jarvis.gateway.Usage;
import dev.jarvis.json.Json;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Creates requests and reads answers. */
public final class Chats {
  private static final Duration LIMIT = Duration.ofMinutes(10);

  private Chats() {}

  /** All events of an answer, including the end. */
  public record Answer(List<Event> events) {
    /** The joined text of all choices. */
    public String text() {
      return of(Event.Text.class).stream().map(Event.Text::text).collect(Collectors.joining());
    }

    /** The finish reason of the choice that ended first. */
    public FinishReason reason() {
      return of(Event.ChoiceEnd.class).getFirst().reason();
    }

    /** The last reported usage. */
    public Usage usage() {
      return of(Event.UsageReport.class).getLast().usage();
    }

    public @Nullable Timings timings() {
      return of(Event.End.class).getLast().timings();
    }

    public <T extends Event> List<T> of(Class<T> type) {
      return events.stream().filter(type::isInstance).map(type::cast).toList();
    }
  }

  public static ChatRequest request(String model, String question) {
    ObjectNode body = Json.object();
    body.putArray("messages").add(message("user", question).json());
    return new ChatRequest(model, body);
  }

  public static ChatRequest.Message message(String role, String content) {
    return new ChatRequest.Message(Json.object().put("role", role).put("content", content));
  }

  /** A request that gets the same answer each time. */
  public static ChatRequest greedy(String model, String question, int maxTokens, String... stop) {
    ChatRequest request = request(model, question);
    request.body().put("temperature", 0).put("max_tokens", maxTokens).put("seed", 1);
    List.of(stop).forEach(request.body().putArray("stop")::add);
    return request;
  }

  /** A request for a stream. */
  public static ProviderRequest stream(ChatRequest request) {
    return new ProviderRequest(request, request.model(), true, false, LIMIT);
  }

  /** A request for a whole answer. */
  public static ProviderRequest whole(ChatRequest request) {
    return new ProviderRequest(request, request.model(), false, false, LIMIT);
  }

  /** Reads an answer to its end. */
  public static Answer read(EventSource source) throws ProviderException {
    List<Event> events = new ArrayList<>();
    do {
      events.add(source.next());
    } while (!(events.getLast() instanceof Event.End));
    return new Answer(events);
  }

  /** Asks a provider and reads its answer to the end. */
  public static Answer ask(Provider provider, ProviderRequest request) throws ProviderException {
    try (EventSource source = provider.chat(request)) {
      return read(source);
    }
  }

  /** The body of an answer that is not streamed. */
  public static WholeAnswer wholeAnswer(byte[] body) throws IOException, ProviderException {
    return WholeAnswer.read(new PeekStream(new ByteArrayInputStream(body)));
  }
}
