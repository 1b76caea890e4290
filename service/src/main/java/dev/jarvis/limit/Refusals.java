package dev.jarvis.limit;

import dev.jarvis.error.ApiException;
import dev.jarvis.gateway.ScopedLimits.Scope;
import dev.jarvis.limit.Counter.Kind;
import dev.jarvis.telemetry.Instruments;
import dev.jarvis.telemetry.Metric;
import java.time.Duration;
import java.util.List;
import java.util.Objects;

/** The errors of refused requests. They are counted by who shares the limit and what it limits. */
final class Refusals {
  /** The label of limits of routes, which have users but no keys and teams. */
  private static final String ROUTE = "route";

  /** The official clients of OpenAI's API ignore a longer Retry-After and try again at once. */
  private static final long LONGEST_WAIT_MILLIS = 60_000;

  private final Instruments instruments;

  Refusals(Instruments instruments) {
    this.instruments = instruments;
    for (Scope scope : Scope.values()) {
      for (Kind kind : Kind.values()) {
        instruments.add(Metric.LIMIT_REFUSALS, 0, scope.id(), kind.id());
      }
    }
    instruments.add(Metric.LIMIT_REFUSALS, 0, ROUTE, Kind.REQUESTS.id());
  }

  /**
   * The error for a call to a model: names the limit that makes it wait longest.
   *
   * @param demands before the limits were divided among replicas
   */
  ApiException refuse(Counters.Result result, List<Demand> demands) {
    int worst = worst(result.verdict().states());
    Demand demand = result.demands().get(worst);
    Verdict.State state = result.verdict().states().get(worst);
    Counter counter = demand.counter();
    return refused(
        counter.scope(),
        counter.kind(),
        "Your %s '%s' has %s; its limit is %s."
            .formatted(
                counter.scope(),
                counter.id(),
                use(demand, state),
                limit(demand, demands.get(worst))),
        state);
  }

  /** The error for a request that calls no model. */
  ApiException refuse(Counters.Result result, RouteLimits.Group group, Demand whole) {
    Verdict.State state = result.verdict().states().getFirst();
    return refused(
        ROUTE,
        Kind.REQUESTS,
        "You have made %d %s in the last minute; the limit is %s."
            .formatted(
                state.used(),
                group.requests(state.used()),
                limit(result.demands().getFirst(), whole)),
        state);
  }

  private ApiException refused(String scope, Kind kind, String message, Verdict.State state) {
    instruments.add(Metric.LIMIT_REFUSALS, 1, scope, kind.id());
    Duration wait = Duration.ofMillis(Math.min(state.waitMillis(), LONGEST_WAIT_MILLIS));
    return ApiException.RateLimited.byLimit(
        "%s Try again in %d s.".formatted(message, wait.plusMillis(999).toSeconds()),
        scope + "_" + kind.id(),
        wait);
  }

  private static int worst(List<Verdict.State> states) {
    int worst = 0;
    for (int i = 1; i < states.size(); i++) {
      worst = states.get(i).waitMillis() > states.get(worst).waitMillis() ? i : worst;
    }
    return worst;
  }

  private static String use(Demand demand, Verdict.State state) {
    return switch (demand.counter().kind()) {
      case REQUESTS -> "made %s in the last minute".formatted(number(state.used(), "request"));
      case TOKENS ->
          "used %s in the last minute, and this request reserves %d"
              .formatted(number(state.used(), "token"), demand.amount());
      case PARALLEL -> number(state.used(), "call") + " in progress";
    };
  }

  private static String number(long number, String noun) {
    return "%d %s%s".formatted(number, noun, number == 1 ? "" : "s");
  }

  private static String limit(Demand enforced, Demand whole) {
    return Objects.equals(enforced, whole)
        ? Long.toString(enforced.limit())
        : "%d at the moment, a replica's share of %d".formatted(enforced.limit(), whole.limit());
  }
}
