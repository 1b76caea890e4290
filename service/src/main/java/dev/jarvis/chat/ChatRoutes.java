package dev.jarvis.chat;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jarvis.account.ActiveUsers;
import dev.jarvis.http.ApiException;
import dev.jarvis.http.Errors;
import dev.jarvis.http.Exchange;
import dev.jarvis.http.Json;
import dev.jarvis.http.JsonBody;
import dev.jarvis.http.Routes;
import dev.jarvis.ledger.Ledger;
import dev.jarvis.model.ChatRequest;
import dev.jarvis.model.ChatStream.Chunk;
import dev.jarvis.model.ChatStream.Usage;
import dev.jarvis.model.Decision;
import dev.jarvis.model.ModelException;
import dev.jarvis.model.ModelProvider;
import dev.jarvis.model.Models;
import dev.jarvis.model.OllamaProvider;
import dev.jarvis.model.Prices;
import dev.jarvis.model.Router;
import dev.jarvis.model.Shortfall;
import dev.jarvis.telemetry.Metric;
import dev.jarvis.telemetry.Telemetry;
import io.helidon.http.HeaderName;
import io.helidon.http.HeaderNames;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** {@code POST /v1/chat/completions}: whole answers and streams. */
public final class ChatRoutes {
  private static final HeaderName MODEL = HeaderNames.create("x-jarvis-model");
  private static final HeaderName PROVIDER = HeaderNames.create("x-jarvis-provider");
  private static final HeaderName ROUTE = HeaderNames.create("x-jarvis-route");
  private static final HeaderName IGNORED = HeaderNames.create("x-jarvis-ignored");

  /** Names that can stand in a header: the client chooses them. */
  private static final Pattern FIELD = Pattern.compile("[\\w.-]{1,64}");

  private static final int MAX_IGNORED = 20;

  private final ChatConfig config;
  private final JsonBody bodies;
  private final Models models;
  private final Router router;
  private final Prices prices;
  private final Admission admission;
  private final Telemetry telemetry;
  private final Ledger ledger;
  private final ActiveUsers activeUsers;

  public ChatRoutes(
      ChatConfig config,
      JsonBody bodies,
      Models models,
      Router router,
      Prices prices,
      Telemetry telemetry,
      Ledger ledger,
      ActiveUsers activeUsers) {
    this.config = config;
    this.bodies = bodies;
    this.models = models;
    this.router = router;
    this.prices = prices;
    this.admission = new Admission(config, telemetry.instruments());
    this.telemetry = telemetry;
    this.ledger = ledger;
    this.activeUsers = activeUsers;
    models.onDiscovered(it -> announce(it.provider(), models.label(it.model())));
  }

  private void announce(ModelProvider provider, String model) {
    GenerationTelemetry.announce(telemetry.instruments(), model, provider.name());
    if (provider instanceof OllamaProvider) {
      OllamaTelemetry.announce(telemetry.instruments(), model, provider.name());
    }
  }

  public void register(Routes routes) {
    routes.post("/v1/chat/completions", Routes.Access.KEY, this::complete);
  }

  private void complete(ServerRequest http, ServerResponse response) {
    Exchange exchange = Exchange.of(http);
    ChatCompletionRequest request =
        ChatCompletionRequest.parse(bodies.object(http), config.maxMessages(), config.maxTokens());
    exchange.endUser(request.user());
    activeUsers.seen(activeUser(exchange, request));
    // what can fail fails in here, before the first byte of the answer
    try (Admission.Turn ignored = admit();
        Generation generation = open(request, exchange)) {
      explain(exchange, generation.target().provider().shortfall(request.chat()), response);
      if (request.stream()) {
        stream(request, exchange, generation, response);
      } else {
        whole(request, exchange, generation, response);
      }
    }
  }

  private static String activeUser(Exchange exchange, ChatCompletionRequest request) {
    return request.user() == null
        ? String.valueOf(exchange.userId())
        : exchange.userId() + "/" + request.user();
  }

  private Admission.Turn admit() {
    try {
      return admission.enter();
    } catch (ApiException.Overloaded e) {
      rejected("rejected");
      throw e;
    }
  }

  private Generation open(ChatCompletionRequest request, Exchange exchange) {
    Decision decision = decide(request.chat());
    RoutingTelemetry routing = new RoutingTelemetry(telemetry, models, exchange);
    long start = System.nanoTime();
    Attempts attempts =
        new Attempts(
            router,
            target ->
                new GenerationTelemetry(
                    telemetry,
                    request.chat().withModel(target.model()),
                    models.label(target.model()),
                    target.provider().name(),
                    start),
            routing::fellBack);
    routing.decided(decision);
    Generation generation =
        Generation.open(
            request.chat(),
            exchange,
            decision,
            request.stream(),
            config.maxDuration(),
            attempts,
            prices,
            ledger::record);
    routing.answered(decision, generation.target());
    return generation;
  }

  private Decision decide(ChatRequest request) {
    Optional<Decision> decision;
    try {
      decision = router.decide(request.model(), it -> it.shortfall(request));
    } catch (ModelException e) {
      rejected("error");
      throw Generation.error(e);
    }
    if (decision.isEmpty()) {
      rejected("rejected");
      throw ModelRoutes.unknown(request.model());
    }
    decision
        .get()
        .unsupported()
        .ifPresent(
            field -> {
              rejected("rejected");
              throw unsupported(field, decision.get());
            });
    return decision.get();
  }

  private static ApiException unsupported(String field, Decision decision) {
    String providers =
        decision.options().stream()
            .map(it -> it.target().provider().name())
            .distinct()
            .collect(Collectors.joining(", "));
    return new ApiException.InvalidRequest(
        "'%s' is not supported by who runs '%s' (%s); leave it out or ask another model."
            .formatted(field, decision.route(), providers),
        field,
        "unsupported_field");
  }

  /**
   * Who answers, and what of the request is ignored, as response headers; before the first byte.
   */
  private static void explain(Exchange exchange, Shortfall shortfall, ServerResponse response) {
    response.header(MODEL, String.valueOf(exchange.model()));
    response.header(PROVIDER, String.valueOf(exchange.provider()));
    response.header(ROUTE, String.valueOf(exchange.modelRoute()));
    String ignored =
        shortfall.ignored().stream()
            .filter(FIELD.asMatchPredicate())
            .limit(MAX_IGNORED)
            .collect(Collectors.joining(", "));
    if (!ignored.isEmpty()) {
      response.header(IGNORED, ignored);
    }
  }

  private void rejected(String outcome) {
    telemetry.instruments().add(Metric.LLM_REQUESTS, 1, "_other", "_none", outcome);
  }

  private static void whole(
      ChatCompletionRequest request,
      Exchange exchange,
      Generation generation,
      ServerResponse response) {
    Choices choices = new Choices();
    Chunk chunk;
    do {
      chunk = generation.next();
      choices.add(chunk);
    } while (chunk.finish() == null);
    Usage usage = chunk.finish().usage();
    Json.send(response, Completions.whole(exchange.id(), request.model(), choices, usage));
  }

  private void stream(
      ChatCompletionRequest request,
      Exchange exchange,
      Generation generation,
      ServerResponse response) {
    Completions.Chunks chunks =
        new Completions.Chunks(exchange.id(), request.model(), request.includeUsage());
    response.header(HeaderNames.CONTENT_TYPE, "text/event-stream");
    response.header(HeaderNames.CACHE_CONTROL, "no-cache");
    response.header(HeaderNames.create("x-accel-buffering"), "no"); // nginx would hold pieces back
    try (EventStream events = new EventStream(response.outputStream(), config.writeTimeout())) {
      events.send(chunks.role(0));
      Chunk chunk;
      do {
        chunk = nextOrErrorEvent(generation, exchange, events);
        send(chunk, chunks, events);
      } while (chunk.finish() == null);
      if (request.includeUsage()) {
        events.send(chunks.usage(chunk.finish().usage()));
      }
      events.done();
    } catch (EventStream.ClientGone e) {
      generation.abort();
      exchange.clientIsGone();
    } catch (ErrorSent e) {
      // the client has been told; the status was sent long before
    }
  }

  private static void send(Chunk chunk, Completions.Chunks chunks, EventStream events)
      throws EventStream.ClientGone {
    boolean says = chunk.says() || chunk.logprobs() != null;
    if (says && !chunks.begun(chunk.choice())) {
      events.send(chunks.role(chunk.choice()));
    }
    if (says) {
      events.send(chunks.piece(chunk));
    }
    if (chunk.reason() != null) {
      events.send(chunks.finish(chunk.choice(), chunk.reason()));
    }
  }

  private static Chunk nextOrErrorEvent(
      Generation generation, Exchange exchange, EventStream events)
      throws EventStream.ClientGone, ErrorSent {
    try {
      return generation.next();
    } catch (ApiException e) {
      exchange.failure(e.getCause() == null ? e : e.getCause());
      ObjectNode body = Errors.body(e, exchange.requestId());
      events.send(body);
      throw new ErrorSent();
    }
  }

  /** A stream ended with an error event. */
  private static final class ErrorSent extends Exception {
    private static final long serialVersionUID = 1L;
  }
}
