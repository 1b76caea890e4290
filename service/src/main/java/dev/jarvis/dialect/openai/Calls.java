package dev.jarvis.dialect.openai;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jarvis.gateway.Answer;
import dev.jarvis.gateway.Call;
import dev.jarvis.gateway.CallRecord;
import dev.jarvis.gateway.Caller;
import dev.jarvis.gateway.Head;
import dev.jarvis.gateway.Outcome;
import dev.jarvis.gateway.Pipeline;
import dev.jarvis.gateway.Question;
import dev.jarvis.http.Exchange;
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

/** How requests become calls, and what clients and log lines learn of the way of a call. */
final class Calls {
  /** Names that can stand in a header: the client chooses them. */
  private static final Pattern FIELD = Pattern.compile("[\\w.-]{1,64}");

  private static final int MAX_IGNORED = 20;

  private Calls() {}

  /** A call that a request asks for; notes who asks. */
  static Call of(
      ServerRequest http,
      Question question,
      boolean streamed,
      @Nullable String endUser,
      ActiveUsers activeUsers) {
    Exchange exchange = Exchange.of(http);
    exchange.endUser(endUser);
    Call call =
        Call.of(
            exchange.id(),
            exchange.requestId(),
            new Caller(String.valueOf(exchange.userId()), endUser),
            question,
            streamed,
            http.headers().first(HeaderNames.CACHE_CONTROL).orElse(""));
    activeUsers.seen(String.join("/", call.caller().names()));
    return call;
  }

  /** Answers a request by a call, while its client waits. */
  static void answer(Pipeline pipeline, Call call, Exchange exchange, Consumer<Answer> encoder) {
    ClientConnection.current()
        .answer(
            () -> {
              try (Answer answer = pipeline.run(call)) {
                encoder.accept(answer);
              } finally {
                ended(call.record(), exchange);
              }
            },
            exchange::clientIsGone);
  }

  /** Notes for the log line how a call ended. */
  private static void ended(CallRecord call, Exchange exchange) {
    CallRecord.Routed routed = call.routed();
    Outcome outcome = call.outcome();
    if (routed != null) {
      exchange.routed(
          routed.route(), routed.target().provider(), routed.target().model(), routed.reason());
      // others may read on where this client has left
      exchange.outcome(
          routed.target().model(), (outcome == null ? Outcome.ABORTED : outcome).label());
    }
  }

  /** Who answers, and what of the request is ignored, as headers; before the first byte. */
  static void explain(Head head, ServerResponse response) {
    explanation(head)
        .forEach((name, value) -> response.header(HeaderNames.create("x-jarvis-" + name), value));
  }

  /** The same for a stream whose head was sent before it was known. */
  static ObjectNode json(Head head) {
    ObjectNode json = Json.object();
    explanation(head).forEach(json::put);
    return json;
  }

  private static Map<String, String> explanation(Head head) {
    Map<String, String> told = new LinkedHashMap<>();
    told.put("model", head.target().model());
    told.put("provider", head.target().provider());
    told.put("route", head.route());
    String ignored =
        head.ignored().stream()
            .filter(FIELD.asMatchPredicate())
            .limit(MAX_IGNORED)
            .collect(Collectors.joining(", "));
    if (!ignored.isEmpty()) {
      told.put("ignored", ignored);
    }
    if (head.cache() != null) {
      told.put("cache", head.cache());
    }
    return told;
  }
}
