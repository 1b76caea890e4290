package dev.jarvis.limit;

import dev.jarvis.gateway.RateStatus;
import dev.jarvis.gateway.RateStatus.Allowance;
import dev.jarvis.limit.Counter.Kind;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** What a client is told of its limits: of several, the one of which the least remains. */
final class RateStatuses {
  private RateStatuses() {}

  static RateStatus of(Counters.Result result) {
    return new RateStatus(tightest(Kind.REQUESTS, result), tightest(Kind.TOKENS, result));
  }

  private static @Nullable Allowance tightest(Kind kind, Counters.Result result) {
    Allowance tightest = null;
    for (int i = 0; i < result.demands().size(); i++) {
      Demand demand = result.demands().get(i);
      if (demand.counter().kind() != kind) {
        continue;
      }
      Verdict.State state = result.verdict().states().get(i);
      long remaining = Math.max(0, demand.limit() - state.used());
      if (tightest == null || remaining < tightest.remaining()) {
        tightest = new Allowance(demand.limit(), remaining, Duration.ofMillis(state.resetMillis()));
      }
    }
    return tightest;
  }
}
