package dev.jarvis.routing;

import dev.jarvis.error.ApiException;
import dev.jarvis.gateway.ChatRequest;
import dev.jarvis.gateway.EmbeddingRequest;
import dev.jarvis.gateway.Question;
import dev.jarvis.gateway.cache.CachePolicy;
import dev.jarvis.provider.Provider;
import dev.jarvis.provider.ProviderException;
import dev.jarvis.provider.UnsupportedFields;
import dev.jarvis.routing.Decision.Option;
import dev.jarvis.routing.Decision.Reason;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Function;
import java.util.function.LongSupplier;
import java.util.function.ToDoubleFunction;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * Decides who answers. A route's name stands for its targets; any other name for itself at each
 * provider that lists it, in the providers' order. Targets that are known to be down, or fail again
 * and again, are passed over while there are others. Thread-safe.
 */
public final class Router {
  private final Catalogue models;
  private final Map<String, Route> routes = new LinkedHashMap<>();
  private final Map<Catalogue.Target, TargetStatistics> states = new ConcurrentHashMap<>();
  private final ToDoubleFunction<Catalogue.Target> cost;
  private final RandomGenerator random;
  private final LongSupplier nanoTime;

  /**
   * @param cost input and output price of a million tokens each, NaN without a price
   */
  public Router(Catalogue models, List<Route> routes, ToDoubleFunction<Catalogue.Target> cost) {
    this(models, routes, cost, null, System::nanoTime);
  }

  Router(
      Catalogue models,
      List<Route> routes,
      ToDoubleFunction<Catalogue.Target> cost,
      @Nullable RandomGenerator random,
      LongSupplier nanoTime) {
    this.models = models;
    routes.forEach(it -> this.routes.put(it.name(), it));
    this.cost = cost;
    this.random = random == null ? () -> ThreadLocalRandom.current().nextLong() : random;
    this.nanoTime = nanoTime;
  }

  /** How the answers of a route are kept; a name that is no route's has no cache. */
  public CachePolicy cache(String name) {
    Route route = routes.get(name);
    return route == null ? CachePolicy.NONE : route.cache();
  }

  /** The names of the routes. */
  public List<String> names() {
    return List.copyOf(routes.keySet());
  }

  /**
   * Decides who answers; asks no model for it.
   *
   * @param name the model's or the route's, as the client gave it
   * @param unsupported what a provider cannot honour; who cannot honour all that matters is not
   *     asked
   * @return empty if no route and no model has this name
   * @throws ProviderException.Unavailable if the name is unknown while every provider is down, so
   *     that nobody can tell
   */
  public Optional<Decision> decide(String name, Function<Provider, UnsupportedFields> unsupported)
      throws ProviderException {
    Route route = routes.get(name);
    if (route != null) {
      return Optional.of(decide(route.name(), route.strategy(), route.targets(), unsupported));
    }
    List<Catalogue.Target> found = models.find(name);
    if (found.isEmpty()) {
      return Optional.empty();
    }
    List<Route.Target> targets = new ArrayList<>();
    for (Catalogue.Target it : found) { // in their order, also if the first must load the model
      targets.add(new Route.Target(it.provider().name(), it.model(), 1, targets.size() + 1));
    }
    return Optional.of(decide(name, Strategy.PRIORITY, targets, unsupported));
  }

  /**
   * Decides who answers a question.
   *
   * @throws ApiException if nobody can
   */
  public Decision require(Question question) {
    try {
      Decision decision =
          decide(question.model(), it -> unsupported(it, question))
              .orElseThrow(() -> RoutingErrors.unknown(question.model()));
      decision
          .unsupported()
          .ifPresent(
              field -> {
                throw RoutingErrors.unsupported(field, decision);
              });
      return decision;
    } catch (ProviderException e) {
      throw RoutingErrors.toClient(e);
    }
  }

  /** What of a question a provider cannot honour. */
  static UnsupportedFields unsupported(Provider provider, Question question) {
    return switch (question) {
      case ChatRequest chat -> provider.unsupported(chat);
      case EmbeddingRequest embedding -> provider.unsupported(embedding);
    };
  }

  /** Notes that a target is asked whatever is known of it; the lease ends when its answer does. */
  public Lease lease(Catalogue.Target target) {
    TargetStatistics state = state(target);
    return new Lease(state, state.breaker().lastResort(), nanoTime);
  }

  /** As {@link #lease}; empty if the target is to be passed over because it failed too often. */
  public Optional<Lease> tryLease(Catalogue.Target target) {
    TargetStatistics state = state(target);
    return state.breaker().attempt().map(attempt -> new Lease(state, attempt, nanoTime));
  }

  /** The targets that were asked or considered so far, and whether each is left alone now. */
  public Map<Catalogue.Target, Boolean> circuits() {
    Map<Catalogue.Target, Boolean> open = new HashMap<>();
    states.forEach((target, state) -> open.put(target, state.breaker().open()));
    return open;
  }

  /** Of each model by label and provider: 1 while it is passed over for failing, else 0. */
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

  private TargetStatistics state(Catalogue.Target target) {
    return states.computeIfAbsent(target, it -> new TargetStatistics());
  }

  private Decision decide(
      String name,
      Strategy strategy,
      List<Route.Target> targets,
      Function<Provider, UnsupportedFields> unsupported) {
    List<Option> usable = new ArrayList<>();
    List<Option> passed = new ArrayList<>();
    for (Route.Target it : targets) {
      Optional<Provider> provider = models.provider(it.provider());
      if (provider.isEmpty()) {
        throw new IllegalStateException("a route names an unknown provider: " + it.provider());
      }
      Catalogue.Target target = new Catalogue.Target(provider.get(), it.model());
      UnsupportedFields lacks = unsupported.apply(target.provider());
      Reason obstacle = lacks.refused().isEmpty() ? obstacle(target) : Reason.UNSUPPORTED;
      Option option = option(it, target, obstacle == null ? Reason.FALLBACK : obstacle, lacks);
      (obstacle == null ? usable : passed).add(option);
    }
    if (usable.isEmpty()) {
      // What is known of them may be seconds old: better to try than to refuse.
      passed.sort(Comparator.comparing(Router::unfit).thenComparing(Option::priority));
      return new Decision(
          name,
          strategy,
          passed.stream().map(it -> unfit(it) ? it : with(it, true, Reason.LAST_RESORT)).toList());
    }
    List<Option> order = sorted(usable, strategy);
    order.set(0, with(order.getFirst(), true, reason(order, strategy)));
    order.addAll(passed);
    return new Decision(name, strategy, order);
  }

  private static boolean unfit(Option option) {
    return option.reason() == Reason.UNSUPPORTED;
  }

  private @Nullable Reason obstacle(Catalogue.Target target) {
    if (!models.up(target.provider())) {
      return Reason.PROVIDER_DOWN;
    }
    if (!models.has(target)) {
      return Reason.MODEL_MISSING;
    }
    return state(target).breaker().open() ? Reason.CIRCUIT_OPEN : null;
  }

  private Option option(
      Route.Target configured,
      Catalogue.Target target,
      Reason reason,
      UnsupportedFields unsupported) {
    TargetStatistics state = state(target);
    double price = cost.applyAsDouble(target);
    return new Option(
        target,
        reason == Reason.FALLBACK,
        reason,
        configured.weight(),
        configured.priority(),
        state.busy(),
        state.firstToken(),
        target.provider().loaded(target.model()).orElse(null),
        Double.isNaN(price) ? null : price,
        unsupported);
  }

  private static Option with(Option it, boolean asked, Reason reason) {
    return new Option(
        it.target(),
        asked,
        reason,
        it.weight(),
        it.priority(),
        it.busy(),
        it.firstToken(),
        it.loaded(),
        it.cost(),
        it.unsupported());
  }

  private List<Option> sorted(List<Option> options, Strategy strategy) {
    List<Option> order = new ArrayList<>(options);
    order.sort(rank(strategy).thenComparing(it -> !inMemory(it)));
    if (strategy == Strategy.WEIGHTED) {
      Option drawn = draw(order);
      order.remove(drawn);
      order.addFirst(drawn);
    }
    return order;
  }

  private Comparator<Option> rank(Strategy strategy) {
    return switch (strategy) {
      case PRIORITY -> Comparator.comparingInt(Option::priority);
      case WEIGHTED -> Comparator.comparingInt(it -> -it.weight());
      case LEAST_BUSY -> Comparator.comparingInt(Option::busy);
      case LOWEST_LATENCY -> Comparator.comparing(this::latency);
      case LOWEST_COST ->
          Comparator.comparingDouble(it -> it.cost() == null ? Double.MAX_VALUE : it.cost());
    };
  }

  /**
   * One that has not answered lately comes first, so that it is measured; one that has, and whose
   * server does not report the time of whole answers, comes last.
   */
  private Duration latency(Option option) {
    if (option.firstToken() != null) {
      return option.firstToken();
    }
    return state(option.target()).answeredLately()
        ? ChronoUnit.FOREVER.getDuration()
        : Duration.ZERO;
  }

  /**
   * At equal rank a model in memory wins. One whose server does not tell wins over nobody: beside
   * it a cold model would never be asked, and so never be loaded.
   */
  private static boolean inMemory(Option option) {
    return Boolean.TRUE.equals(option.loaded());
  }

  private Option draw(List<Option> options) {
    int left = random.nextInt(options.stream().mapToInt(Option::weight).sum());
    for (Option option : options) {
      left -= option.weight();
      if (left < 0) {
        return option;
      }
    }
    throw new IllegalStateException("weights are at least 1");
  }

  private Reason reason(List<Option> order, Strategy strategy) {
    if (order.size() == 1) {
      return Reason.ONLY;
    }
    boolean tie = rank(strategy).compare(order.get(0), order.get(1)) == 0;
    if (tie && strategy != Strategy.WEIGHTED && inMemory(order.get(0)) && !inMemory(order.get(1))) {
      return Reason.LOADED;
    }
    return Reason.valueOf(strategy.reason().toUpperCase(Locale.ROOT));
  }

  /** An answer under way; used by one thread. */
  public static final class Lease {
    /** A target that is silent for so long has failed, also where its client does not wait. */
    private static final Duration SILENCE = Duration.ofSeconds(30);

    private final TargetStatistics state;
    private final CircuitBreaker.Attempt attempt;
    private final LongSupplier nanoTime;
    private final long startNanos;
    private boolean silent = true;
    private boolean ended;

    private Lease(TargetStatistics state, CircuitBreaker.Attempt attempt, LongSupplier nanoTime) {
      this.state = state;
      this.attempt = attempt;
      this.nanoTime = nanoTime;
      this.startNanos = nanoTime.getAsLong();
      state.begun();
    }

    /** How many tokens a second the target lately wrote; NaN if not known. */
    public double tokensPerSecond() {
      return state.tokensPerSecond();
    }

    /** The target wrote so many tokens a second, NaN if that is not known. */
    public void wrote(double tokensPerSecond) {
      state.wrote(tokensPerSecond);
    }

    /** The target has begun to answer. */
    public void began() {
      attempt.began();
    }

    /** The target gave a whole answer to its end. */
    public void answered() {
      state.answered();
    }

    /** The target said something. */
    public void spoke() {
      silent = false;
    }

    /** How long the first token took; null where that is not known. */
    public void firstTokenAfter(@Nullable Duration time) {
      if (time != null) {
        state.firstTokenAfter(time);
      }
    }

    /** The answer ended; the first call of this or {@link #abort} counts. */
    public void end(boolean failed) {
      if (ended) {
        return;
      }
      ended = true;
      state.ended();
      if (failed) {
        attempt.failed();
      } else {
        attempt.succeeded();
      }
    }

    /**
     * The answer was given up by its client: neither a success nor a failure of the target, unless
     * it had said nothing for so long that this is why.
     *
     * @param awaited whether the target should have said something by now: a stream's first token
     *     comes soon, a whole answer may take minutes
     */
    public void abort(boolean awaited) {
      if (!ended) {
        ended = true;
        state.ended();
        if (awaited && silent && nanoTime.getAsLong() - startNanos > SILENCE.toNanos()) {
          attempt.failed();
        } else {
          attempt.aborted();
        }
      }
    }
  }
}
