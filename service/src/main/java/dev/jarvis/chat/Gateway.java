package dev.jarvis.chat;

import dev.jarvis.account.ActiveUsers;
import dev.jarvis.http.ApiException;
import dev.jarvis.http.ClientConnection;
import dev.jarvis.http.ClientWatch;
import dev.jarvis.http.Exchange;
import dev.jarvis.ledger.LlmUse;
import dev.jarvis.model.ChatRequest;
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
import io.helidon.webserver.CloseConnectionException;
import io.helidon.webserver.http.ServerResponse;
import io.opentelemetry.api.trace.Span;
import java.math.BigDecimal;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * What every request to a model shares on its way there: who may ask now, who is asked, and what is
 * told and recorded of it. Thread-safe.
 */
public final class Gateway {
  private static final HeaderName MODEL = HeaderNames.create("x-jarvis-model");
  private static final HeaderName PROVIDER = HeaderNames.create("x-jarvis-provider");
  private static final HeaderName ROUTE = HeaderNames.create("x-jarvis-route");
  private static final HeaderName CACHE = HeaderNames.create("x-jarvis-cache");
  private static final HeaderName IGNORED = HeaderNames.create("x-jarvis-ignored");

  /** Names that can stand in a header: the client chooses them. */
  private static final Pattern FIELD = Pattern.compile("[\\w.-]{1,64}");

  private static final int MAX_IGNORED = 20;

  private final Models models;
  private final Router router;
  private final Prices prices;
  private final Admission admission;
  private final Duration maxDuration;
  private final Telemetry telemetry;
  private final Consumer<LlmUse> ledger;
  private final ActiveUsers activeUsers;
  private final AnswerCache cache;

  public Gateway(
      ChatConfig config,
      Models models,
      Router router,
      Prices prices,
      Telemetry telemetry,
      Consumer<LlmUse> ledger,
      ActiveUsers activeUsers,
      AnswerCache cache) {
    this.models = models;
    this.router = router;
    this.prices = prices;
    this.admission = new Admission(config, telemetry.instruments());
    this.maxDuration = config.maxDuration();
    this.telemetry = telemetry;
    this.ledger = ledger;
    this.activeUsers = activeUsers;
    this.cache = cache;
    models.onDiscovered(it -> announce(it.provider(), models.label(it.model())));
  }

  private void announce(ModelProvider provider, String model) {
    GenerationTelemetry.announce(telemetry.instruments(), model, provider.name());
    if (provider instanceof OllamaProvider) {
      OllamaTelemetry.announce(telemetry.instruments(), model, provider.name());
    }
  }

  /** Of each model by provider: 1 while it is left alone for failing, else 0. */
  public Map<List<String>, Long> circuits() {
    Map<List<String>, Long> circuits = new HashMap<>();
    router
        .circuits()
        .forEach(
            (target, open) ->
                circuits.merge(
                    List.of(models.label(target.model()), target.provider().name()),
                    open ? 1L : 0L,
                    Math::max));
    return circuits;
  }

  /** Notes who asks. */
  void seen(Exchange exchange, @Nullable String endUser) {
    exchange.endUser(endUser);
    activeUsers.seen(String.join("/", asker(exchange)));
  }

  /** The key's user, and the end user where the body names one. */
  private static List<String> asker(Exchange exchange) {
    String user = String.valueOf(exchange.userId());
    return exchange.endUser() == null ? List.of(user) : List.of(user, exchange.endUser());
  }

  /** What the cache has for a chat, told in a header; empty where the route has no cache. */
  Optional<AnswerCache.Look> cached(
      ChatRequest request, Exchange exchange, String cacheControl, ServerResponse response) {
    Optional<AnswerCache.Look> look =
        cache.look(router.cache(request.model()), request, asker(exchange), cacheControl);
    look.ifPresent(it -> response.header(CACHE, it.result().header()));
    return look;
  }

  /** Records that a route's answer came from the cache: no model was asked, nothing was paid. */
  void answeredFromCache(String route, CachedAnswer answer, Exchange exchange, boolean streamed) {
    exchange.routed(route, answer.provider(), answer.model(), Outcome.CACHED.label());
    exchange.outcome(answer.model(), Outcome.CACHED.label());
    telemetry
        .instruments()
        .add(
            Metric.LLM_REQUESTS,
            1,
            models.label(answer.model()),
            answer.provider(),
            Outcome.CACHED.label());
    ledger.accept(
        Settlement.use(
            exchange,
            Span.current().getSpanContext().getTraceId(),
            "chat",
            answer.model(),
            answer.provider(),
            Outcome.CACHED,
            new Usage(0, 0),
            BigDecimal.ZERO,
            streamed,
            Duration.ZERO,
            null,
            answer.finishReason()));
  }

  /**
   * Waits for a turn.
   *
   * @throws ApiException.Overloaded if none comes; that is counted
   */
  Admission.Turn admit(ClientWatch client) {
    try {
      return admission.enter();
    } catch (ApiException.Overloaded e) {
      rejected(client.gone() ? Outcome.ABORTED : Outcome.REJECTED);
      throw e;
    }
  }

  /**
   * Answers a request while its client is watched: if that hangs up, whatever the answer waits for
   * ends within a second, and nothing of it is an error.
   */
  static void answer(Exchange exchange, Consumer<ClientWatch> answer) {
    try (ClientWatch client = ClientConnection.current().watch()) {
      try {
        answer.accept(client);
      } catch (ApiException e) {
        if (client.gone()) {
          exchange.clientIsGone();
          throw new CloseConnectionException("the client is gone", e);
        }
        throw e;
      }
    }
  }

  /**
   * Decides who is asked.
   *
   * @param model as the client named it
   * @throws ApiException if nobody can be; that is counted
   */
  Decision decide(String model, Function<ModelProvider, Shortfall> shortfall) {
    Optional<Decision> decision;
    try {
      decision = router.decide(model, shortfall);
    } catch (ModelException e) {
      rejected(Outcome.ERROR);
      throw ModelErrors.toClient(e);
    }
    if (decision.isEmpty()) {
      rejected(Outcome.REJECTED);
      throw ModelErrors.unknown(model);
    }
    Optional<String> unsupported = decision.get().unsupported();
    if (unsupported.isPresent()) {
      rejected(Outcome.REJECTED);
      throw ModelErrors.unsupported(unsupported.get(), decision.get());
    }
    return decision.get();
  }

  RoutingTelemetry routing(Exchange exchange) {
    return new RoutingTelemetry(telemetry, models, exchange);
  }

  /**
   * Attempts at the targets of a decision.
   *
   * @param describe what to tell of the request on each attempt's span
   */
  <T> Attempts<T> attempts(
      String operation, RoutingTelemetry routing, Consumer<GenerationTelemetry> describe) {
    long start = System.nanoTime();
    return new Attempts<>(
        router,
        target -> {
          GenerationTelemetry attempt =
              new GenerationTelemetry(
                  telemetry,
                  operation,
                  target.model(),
                  models.label(target.model()),
                  target.provider().name(),
                  start);
          describe.accept(attempt);
          return attempt;
        },
        routing::fellBack,
        maxDuration);
  }

  Settlement settlement(String operation, Exchange exchange, ClientWatch client) {
    return new Settlement(operation, exchange, client, prices, ledger);
  }

  /** Who answers, and what of the request is ignored, as headers; before the first byte. */
  void explain(Exchange exchange, Shortfall shortfall, ServerResponse response) {
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

  /** Counts a request that came as far as no model. */
  private void rejected(Outcome outcome) {
    telemetry.instruments().add(Metric.LLM_REQUESTS, 1, Models.OTHER, "_none", outcome.label());
  }
}
