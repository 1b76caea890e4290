package dev.jarvis.dialect.openai;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jarvis.error.ApiException;
import dev.jarvis.gateway.Answer;
import dev.jarvis.gateway.Call;
import dev.jarvis.gateway.CallRecord;
import dev.jarvis.gateway.Head;
import dev.jarvis.gateway.Notes;
import dev.jarvis.gateway.Outcome;
import dev.jarvis.gateway.Pipeline;
import dev.jarvis.gateway.Question;
import dev.jarvis.http.Exchange;
import dev.jarvis.http.HeaderText;
import dev.jarvis.http.connection.ClientConnection;
import dev.jarvis.identity.ActiveUsers;
import dev.jarvis.json.Json;
import io.helidon.http.HeaderNames;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Consumer;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Turns requests into calls, and reports in headers and log lines how calls were answered. */
final class Calls {
  /** Field names that may be sent in a header; the client chooses them. */
  private static final Pattern FIELD = Pattern.compile("[\\w.-]{1,64}");

  private static final int MAX_IGNORED = 20;

  /** Its value is a list of names, each of which is safe. */
  private static final String IGNORED = "ignored";

  private Calls() {}

  /** The call that a request asks for; records its user as active. */
  static Call of(
      ServerRequest http,
      Question question,
      boolean streamed,
      @Nullable String endUser,
      ActiveUsers activeUsers) {
    Exchange exchange = Exchange.of(http);
    if (endUser != null) {
      exchange.logAttribute("end_user", endUser);
    }
    Call call =
        Call.of(
            exchange.id(),
            exchange.requestId(),
            exchange.principal().caller(endUser),
            question,
            streamed,
            http.headers().first(HeaderNames.CACHE_CONTROL).orElse(""));
    activeUsers.seen(String.join("/", call.caller().names()));
    return call;
  }

  /** OpenAI's field {@code user}: the end user; null if absent or blank. */
  static @Nullable String endUser(ObjectNode body) {
    String user = body.path("user").asText("");
    return user.isBlank() ? null : user;
  }

  /** Answers a request by a call, while its client waits. */
  static void answer(
      Pipeline pipeline,
      Call call,
      Exchange exchange,
      ServerResponse response,
      Consumer<Answer> encoder) {
    ClientConnection.current()
        .answer(
            () -> {
              try (Answer answer = run(pipeline, call, exchange)) {
                RateHeaders.of(call.record()).forEach(it -> response.header(it));
                encoder.accept(answer);
              } finally {
                logCall(call.record(), exchange);
              }
            },
            exchange::clientIsGone);
  }

  /** A refusal by a limit has the limits' headers, too; other errors say nothing of limits. */
  private static Answer run(Pipeline pipeline, Call call, Exchange exchange) {
    try {
      return pipeline.run(call);
    } catch (ApiException.RateLimited e) {
      if (e.isOwnLimit()) {
        RateHeaders.of(call.record()).forEach(exchange::header);
      }
      throw e;
    }
  }

  /** Adds to the log line how the call was routed and how it ended. */
  private static void logCall(CallRecord call, Exchange exchange) {
    CallRecord.Routed routed = call.routed();
    if (routed == null) {
      return;
    }
    // a call without an outcome goes on for other readers, after this client has left
    Outcome outcome = call.outcome() == null ? Outcome.ABORTED : call.outcome();
    exchange.logAttribute("model", routed.target().model());
    exchange.logAttribute("provider", routed.target().provider());
    exchange.logAttribute("model_route", routed.route());
    exchange.logAttribute("routing_reason", routed.reason());
    exchange.logAttribute("outcome", outcome.label());
    if (call.truncated()) {
      exchange.logAttribute("prompt_truncated", true);
    }
  }

  /** Sets headers that name the target and the ignored fields; to be called before the body. */
  static void explain(Head head, ServerResponse response) {
    explanation(head)
        .forEach(
            (name, value) ->
                header(name, name.equals(IGNORED) ? value : HeaderText.encode(value), response));
  }

  /** Sets headers for what was learnt while the answer was generated. */
  static void explain(Notes notes, ServerResponse response) {
    notes.byKind().forEach((kind, about) -> header(kind, String.join(", ", about), response));
  }

  private static void header(String name, String value, ServerResponse response) {
    response.header(HeaderNames.create("x-jarvis-" + name), value);
  }

  /**
   * The same for a stream, whose headers were sent before all of it was known.
   *
   * @param head null if the headers tell it
   */
  static ObjectNode late(@Nullable Head head, Notes notes) {
    ObjectNode json = Json.object();
    if (head != null) {
      explanation(head).forEach(json::put);
    }
    notes.byKind().forEach((kind, about) -> json.put(kind, String.join(", ", about)));
    return json;
  }

  private static Map<String, String> explanation(Head head) {
    Map<String, String> values = new LinkedHashMap<>();
    values.put("model", head.target().model());
    values.put("provider", head.target().provider());
    values.put("route", head.route());
    String ignored =
        head.ignored().stream()
            .filter(FIELD.asMatchPredicate())
            .limit(MAX_IGNORED)
            .collect(Collectors.joining(", "));
    if (!ignored.isEmpty()) {
      values.put(IGNORED, ignored);
    }
    if (head.cache() != null) {
      values.put("cache", head.cache());
    }
    return values;
  }
}
