package dev.jarvis.limit;

import dev.jarvis.gateway.Answer;
import dev.jarvis.gateway.Call;
import dev.jarvis.gateway.Outcome;
import dev.jarvis.gateway.RateLimits;
import dev.jarvis.gateway.ScopedLimits;
import dev.jarvis.gateway.Stage;
import dev.jarvis.limit.Counter.Kind;
import dev.jarvis.telemetry.Instruments;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Refuses calls beyond the limits of their key, user or team. Tokens are reserved by an estimate;
 * when the call is settled, the difference is booked. A refused call uses nothing, whoever refuses
 * it.
 */
public final class Limit implements Stage {
  private final LimitConfig config;
  private final Reservation reservation;
  private final Counters counters;
  private final Refusals refusals;

  /**
   * @param contextTokens of passages that an answer is grounded on, unless the request sets it
   */
  public Limit(LimitConfig config, int contextTokens, Counters counters, Instruments instruments) {
    this.config = config;
    this.reservation = new Reservation(config.outputEstimate(), contextTokens);
    this.counters = counters;
    this.refusals = new Refusals(instruments);
  }

  @Override
  public Answer handle(Call call, Next next) {
    List<Demand> demands = demands(call);
    if (demands.isEmpty()) {
      return next.proceed(call);
    }
    String id = call.id().toString();
    Counters.Result result = counters.take(id, demands);
    call.record().rateStatus(RateStatuses.of(result));
    if (!result.verdict().granted()) {
      throw refusals.refuse(result, demands);
    }
    call.record()
        .hold((outcome, tokens) -> counters.settle(id, result, changes(result, outcome, tokens)));
    return next.proceed(call);
  }

  private List<Demand> demands(Call call) {
    List<Demand> demands = new ArrayList<>();
    for (ScopedLimits scoped : call.caller().limits()) {
      RateLimits own = scoped.limits();
      LimitConfig.Calls defaults = config.of(scoped.scope());
      int requests = limit(own.requestsPerMinute(), defaults.requestsPerMinute());
      int tokens = limit(own.tokensPerMinute(), defaults.tokensPerMinute());
      int parallel = limit(own.parallelCalls(), defaults.parallelCalls());
      if (requests > 0) {
        demands.add(new Demand(counter(Kind.REQUESTS, scoped), 1, requests));
      }
      if (tokens > 0) {
        demands.add(
            new Demand(counter(Kind.TOKENS, scoped), reservation.tokens(call.question()), tokens));
      }
      if (parallel > 0) {
        demands.add(new Demand(counter(Kind.PARALLEL, scoped), 1, parallel));
      }
    }
    return demands;
  }

  /** 0 for none. */
  private static int limit(@Nullable Integer own, int byDefault) {
    return own == null ? byDefault : own;
  }

  private static Counter counter(Kind kind, ScopedLimits scoped) {
    return new Counter(kind, scoped.scope().id(), scoped.id());
  }

  private static List<Change> changes(Counters.Result result, Outcome outcome, long tokens) {
    return result.demands().stream()
        .map(
            it ->
                new Change(
                    it.counter(),
                    switch (it.counter().kind()) {
                      case REQUESTS -> outcome == Outcome.REJECTED ? -it.amount() : 0;
                      case TOKENS -> tokens - it.amount();
                      case PARALLEL -> -it.amount();
                    }))
        .toList();
  }
}
