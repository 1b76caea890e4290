package dev.jarvis.chat;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jarvis.account.ActiveUsers;
import dev.jarvis.http.ApiException;
import dev.jarvis.http.ClientConnection;
import dev.jarvis.http.ClientWatch;
import dev.jarvis.http.Errors;
import dev.jarvis.http.Exchange;
import dev.jarvis.http.Json;
import dev.jarvis.http.JsonBody;
import dev.jarvis.http.Routes;
import dev.jarvis.ledger.Ledger;
import dev.jarvis.model.ChatStream.Chunk;
import dev.jarvis.model.Decision;
import dev.jarvis.model.ModelException;
import dev.jarvis.model.ModelProvider;
import dev.jarvis.model.Models;
import dev.jarvis.model.OllamaProvider;
import dev.jarvis.model.Prices;
import dev.jarvis.model.Router;
import dev.jarvis.telemetry.Metric;
import dev.jarvis.telemetry.Telemetry;
import io.helidon.http.HeaderName;
import io.helidon.http.HeaderNames;
import io.helidon.webserver.CloseConnectionException;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.util.Optional;

/** {@code POST /v1/chat/completions}: whole answers and streams. */
public final class ChatRoutes {
  private static final HeaderName MODEL = HeaderNames.create("x-jarvis-model");
  private static final HeaderName PROVIDER = HeaderNames.create("x-jarvis-provider");
  private static final HeaderName ROUTE = HeaderNames.create("x-jarvis-route");

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
        ChatCompletionRequest.parse(bodies.object(http), config.maxMessages());
    exchange.endUser(request.user());
    activeUsers.seen(activeUser(exchange, request));
    try (ClientWatch client = ClientConnection.current().watch()) {
      try {
        answer(request, exchange, client, response);
      } catch (ApiException e) {
        if (client.gone()) {
          exchange.clientIsGone();
          throw new CloseConnectionException("the client is gone", e);
        }
        throw e;
      }
    }
  }

  /** What can fail fails in here before the first byte of the answer. */
  private void answer(
      ChatCompletionRequest request,
      Exchange exchange,
      ClientWatch client,
      ServerResponse response) {
    try (Admission.Turn ignored = admit(client);
        Generation generation = open(request, exchange, client)) {
      explain(exchange, response);
      if (request.stream()) {
        stream(request, exchange, client, generation, response);
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

  private Admission.Turn admit(ClientWatch client) {
    try {
      return admission.enter();
    } catch (ApiException.Overloaded e) {
      rejected(client.gone() ? "aborted" : "rejected");
      throw e;
    }
  }

  private Generation open(ChatCompletionRequest request, Exchange exchange, ClientWatch client) {
    Decision decision = decide(request.model());
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
            client,
            decision,
            request.stream(),
            config.maxDuration(),
            attempts,
            prices,
            ledger::record);
    routing.answered(decision, generation.target());
    return generation;
  }

  private Decision decide(String model) {
    try {
      Optional<Decision> decision = router.decide(model);
      if (decision.isPresent()) {
        return decision.get();
      }
    } catch (ModelException e) {
      rejected("error");
      throw Generation.error(e);
    }
    rejected("rejected");
    throw ModelRoutes.unknown(model);
  }

  /** Who answers, as response headers; before the first byte. */
  private static void explain(Exchange exchange, ServerResponse response) {
    response.header(MODEL, String.valueOf(exchange.model()));
    response.header(PROVIDER, String.valueOf(exchange.provider()));
    response.header(ROUTE, String.valueOf(exchange.modelRoute()));
  }

  private void rejected(String outcome) {
    telemetry.instruments().add(Metric.LLM_REQUESTS, 1, "_other", "_none", outcome);
  }

  private static void whole(
      ChatCompletionRequest request,
      Exchange exchange,
      Generation generation,
      ServerResponse response) {
    StringBuilder text = new StringBuilder();
    Chunk chunk;
    do {
      chunk = generation.next();
      text.append(chunk.text());
    } while (chunk.finish() == null);
    Json.send(response, Completions.whole(exchange.id(), request.model(), text, chunk.finish()));
  }

  private void stream(
      ChatCompletionRequest request,
      Exchange exchange,
      ClientWatch client,
      Generation generation,
      ServerResponse response) {
    Completions.Chunks chunks =
        new Completions.Chunks(exchange.id(), request.model(), request.includeUsage());
    response.header(HeaderNames.CONTENT_TYPE, "text/event-stream");
    response.header(HeaderNames.CACHE_CONTROL, "no-cache");
    response.header(HeaderNames.create("x-accel-buffering"), "no"); // nginx would hold pieces back
    try (EventStream events = new EventStream(response.outputStream(), config.writeTimeout())) {
      events.send(chunks.role());
      Chunk chunk;
      do {
        chunk = nextOrErrorEvent(generation, exchange, client, events);
        if (!chunk.text().isEmpty()) {
          events.send(chunks.text(chunk.text()));
        }
      } while (chunk.finish() == null);
      events.send(chunks.finish(chunk.finish().reason()));
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

  private static Chunk nextOrErrorEvent(
      Generation generation, Exchange exchange, ClientWatch client, EventStream events)
      throws EventStream.ClientGone, ErrorSent {
    try {
      return generation.next();
    } catch (ApiException e) {
      if (client.gone()) {
        throw new EventStream.ClientGone(e);
      }
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
