package dev.jarvis.routing;

import dev.jarvis.error.ApiException;
import dev.jarvis.gateway.ChatRequest;
import dev.jarvis.gateway.EmbeddingRequest;
import dev.jarvis.gateway.PromptTokens;
import dev.jarvis.gateway.Question;
import dev.jarvis.gateway.TargetName;
import dev.jarvis.gateway.cache.CachePolicy;
import dev.jarvis.provider.Provider;
import dev.jarvis.provider.ProviderException;
import dev.jarvis.provider.UnsupportedFields;
import dev.jarvis.routing.Decision.Option;
import dev.jarvis.routing.Decision.Reason;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.LongSupplier;
import java.util.function.ToDoubleFunction;
import java.util.random.RandomGenerator;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Decides which targets are asked to answer a request. A route's name stands for its targets, any
 * other name for the model of that name at each provider that lists it, in the providers' order.
 * Targets that are down, or whose circuit breaker is open, are passed over while there are others.
 * Thread-safe.
 */
public final class Router {
  private static final Set<Reason> CANNOT_ANSWER =
      Set.of(Reason.UNSUPPORTED, Reason.CONTEXT_EXCEEDED);

  private final Catalogue models;
  private final Map<String, Route> routes = new LinkedHashMap<>();
  private final Map<Catalogue.Target, TargetStatistics> statistics = new ConcurrentHashMap<>();
  private final ToDoubleFunction<Catalogue.Target> cost;
  private final ContextWindows windows;
  private final TargetRanking ranking;
  private final LongSupplier nanoTime;

  /**
   * @param cost the prices of a million input and of a million output tokens, added; NaN without a
   *     price
   * @param windows the targets' context windows
   */
  public Router(
      Catalogue models,
      List<Route> routes,
      ToDoubleFunction<Catalogue.Target> cost,
      ContextWindows windows) {
    this(models, routes, cost, windows, null, System::nanoTime);
  }

  Router(
      Catalogue models,
      List<Route> routes,
      ToDoubleFunction<Catalogue.Target> cost,
      ContextWindows windows,
      @Nullable RandomGenerator random,
      LongSupplier nanoTime) {
    this.models = models;
    routes.forEach(it -> this.routes.put(it.name(), it));
    this.cost = cost;
    this.windows = windows;
    this.ranking =
        new TargetRanking(random == null ? () -> ThreadLocalRandom.current().nextLong() : random);
    this.nanoTime = nanoTime;
  }

  /** The cache policy of a route; {@link CachePolicy#NONE} for any other name. */
  public CachePolicy cache(String name) {
    Route route = routes.get(name);
    return route == null ? CachePolicy.NONE : route.cachePolicy();
  }

  /** What happens to a prompt that is longer than a context window, by the name in the request. */
  ContextPolicy context(String name) {
    Route route = routes.get(name);
    return route == null ? windows.ofModels() : route.context();
  }

  /** The context window of a target, if it is known. */
  OptionalInt contextWindow(Catalogue.Target target, Question question) {
    return question instanceof ChatRequest chat ? windows.of(target, chat) : OptionalInt.empty();
  }

  /** The names of the routes. */
  public List<String> names() {
    return List.copyOf(routes.keySet());
  }

  /**
   * Decides which targets are asked, without asking a model.
   *
   * @param question whose model's name is a route's or a model's
   * @return empty if no route and no model has this name, or none has the only model that may
   *     answer
   * @throws ProviderException.Unavailable if the name is unknown while every provider is down, so
   *     that it may exist
   */
  public Optional<Decision> decide(Question question) throws ProviderException {
    String name = question.model();
    Route route = routes.get(name);
    Strategy strategy = route == null ? Strategy.PRIORITY : route.strategy();
    List<Route.Target> targets = new ArrayList<>(route == null ? byModel(name) : route.targets());
    String only = onlyModel(question);
    targets.removeIf(it -> only != null && !it.model().equals(only));
    return targets.isEmpty() ? Optional.empty() : Optional.of(decide(question, strategy, targets));
  }

  private List<Route.Target> byModel(String name) throws ProviderException {
    List<Route.Target> targets = new ArrayList<>();
    for (Catalogue.Target it : models.find(name)) {
      // one priority each, so that a loaded model does not win
      targets.add(new Route.Target(it.provider().name(), it.model(), 1, targets.size() + 1));
    }
    return targets;
  }

  private static @Nullable String onlyModel(Question question) {
    return question instanceof EmbeddingRequest embedding ? embedding.onlyModel() : null;
  }

  /**
   * Decides which targets are asked to answer a question.
   *
   * @throws ApiException if none can answer it
   */
  public Decision require(Question question) {
    try {
      Decision decision =
          decide(question)
              .orElseThrow(
                  () ->
                      RoutingErrors.unknown(
                          Objects.requireNonNullElse(onlyModel(question), question.model())));
      if (decision.contextLimit().isPresent()) {
        throw RoutingErrors.contextExceeded(decision, leastTokens(question));
      }
      decision
          .unsupported()
          .ifPresent(
              field -> {
                throw RoutingErrors.unsupported(field, decision, question);
              });
      return decision;
    } catch (ProviderException e) {
      throw RoutingErrors.toClient(e);
    }
  }

  /** The fields of a question that a target cannot honour. */
  static UnsupportedFields unsupported(Catalogue.Target target, Question question) {
    return switch (question) {
      case ChatRequest chat -> target.provider().unsupported(chat.withModel(target.model()));
      case EmbeddingRequest embedding ->
          target.provider().unsupported(embedding.withModel(target.model()));
    };
  }

  private static int leastTokens(Question question) {
    return question instanceof ChatRequest chat ? PromptTokens.least(chat) : 0;
  }

  /** Leases a target for an attempt, even if its circuit breaker is open. */
  TargetLease lease(Catalogue.Target target) {
    TargetStatistics known = statistics(target);
    return new TargetLease(known, known.breaker().acquire(), nanoTime);
  }

  /** Leases a target for an attempt; empty if its circuit breaker is open. */
  Optional<TargetLease> tryLease(Catalogue.Target target) {
    TargetStatistics known = statistics(target);
    return known.breaker().tryAcquire().map(it -> new TargetLease(known, it, nanoTime));
  }

  /** The targets that were considered so far, and whether the circuit breaker of each is open. */
  public Map<Catalogue.Target, Boolean> circuits() {
    Map<Catalogue.Target, Boolean> open = new HashMap<>();
    statistics.forEach((target, it) -> open.put(target, it.breaker().open()));
    return open;
  }

  /** By model label and provider: 1 while the circuit breaker is open, else 0. */
  public Map<List<String>, Long> openCircuits() {
    Map<List<String>, Long> open = new HashMap<>();
    circuits()
        .forEach(
            (target, isOpen) ->
                open.merge(
                    List.of(models.label(target.model()), target.provider().name()),
                    isOpen ? 1L : 0L,
                    Math::max));
    return open;
  }

  /** What this replica has observed of a target; nothing if there is none of this name. */
  TargetStatistics statistics(TargetName name) {
    return models
        .provider(name.provider())
        .map(it -> statistics(new Catalogue.Target(it, name.model())))
        .orElseGet(TargetStatistics::new);
  }

  private TargetStatistics statistics(Catalogue.Target target) {
    return statistics.computeIfAbsent(target, it -> new TargetStatistics());
  }

  private Decision decide(Question question, Strategy strategy, List<Route.Target> targets) {
    String name = question.model();
    ContextPolicy context = context(name);
    int tokens = context == ContextPolicy.TELL ? 0 : leastTokens(question);
    List<Option> options = new ArrayList<>();
    for (Route.Target it : targets) {
      Optional<Provider> provider = models.provider(it.provider());
      if (provider.isEmpty()) {
        throw new IllegalStateException("a route names an unknown provider: " + it.provider());
      }
      options.add(option(it, new Catalogue.Target(provider.get(), it.model()), question, tokens));
    }
    if (context == ContextPolicy.REFUSE
        && options.stream().anyMatch(it -> it.reason() == Reason.CONTEXT_EXCEEDED)) {
      options.replaceAll(
          it -> it.reason() == Reason.UNSUPPORTED ? it : it.with(Reason.CONTEXT_EXCEEDED));
    }
    Map<Boolean, List<Option>> byUse =
        options.stream().collect(Collectors.partitioningBy(Option::asked));
    List<Option> usable = byUse.getOrDefault(true, List.of());
    List<Option> passedOver = byUse.getOrDefault(false, List.of());
    if (usable.isEmpty()) {
      return new Decision(name, strategy, lastResorts(passedOver));
    }
    List<Option> sorted = new ArrayList<>(ranking.sort(usable, strategy));
    sorted.addAll(passedOver);
    return new Decision(name, strategy, sorted);
  }

  /** What is known of these targets may be seconds old, so they are asked rather than none. */
  private static List<Option> lastResorts(List<Option> passedOver) {
    return passedOver.stream()
        .map(it -> CANNOT_ANSWER.contains(it.reason()) ? it : it.with(Reason.LAST_RESORT))
        .sorted(Comparator.comparing((Option it) -> !it.asked()).thenComparing(Option::priority))
        .toList();
  }

  private @Nullable Reason obstacle(Catalogue.Target target) {
    if (!models.up(target.provider())) {
      return Reason.PROVIDER_DOWN;
    }
    if (!models.mayHave(target)) {
      return Reason.MODEL_MISSING;
    }
    return statistics(target).breaker().open() ? Reason.CIRCUIT_OPEN : null;
  }

  private Option option(
      Route.Target configured, Catalogue.Target target, Question question, int leastTokens) {
    UnsupportedFields fields = unsupported(target, question);
    OptionalInt known = contextWindow(target, question);
    Integer window = known.isPresent() ? known.getAsInt() : null;
    Reason obstacle =
        !fields.refused().isEmpty()
            ? Reason.UNSUPPORTED
            : ContextWindows.exceeded(leastTokens, window)
                ? Reason.CONTEXT_EXCEEDED
                : obstacle(target);
    TargetStatistics recent = statistics(target);
    double price = cost.applyAsDouble(target);
    return new Option(
        target,
        obstacle == null ? Reason.FALLBACK : obstacle,
        configured.weight(),
        configured.priority(),
        new Decision.Observed(
            recent.busy(),
            recent.timeToFirstToken(),
            recent.answeredRecently(),
            target.provider().loaded(target.model()).orElse(null),
            window),
        Double.isNaN(price) ? null : price,
        fields);
  }
}
