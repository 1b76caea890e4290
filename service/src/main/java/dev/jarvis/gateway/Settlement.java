package dev.jarvis.gateway;

import dev.jarvis.id.UuidV7;
import dev.jarvis.telemetry.Instruments;
import dev.jarvis.telemetry.Metric;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.context.Scope;
import java.math.BigDecimal;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * What a call leaves when it has ended, however it ended: metrics, the ends of its attempts' spans,
 * and ledger entries: one for the call, and one for each attempt before it at which a model worked.
 * Thread-safe.
 */
public final class Settlement {
  /** The labels of a call that reached no model. */
  private static final String OTHER = "_other";

  private static final String NOBODY = "_none";

  private final Instruments instruments;
  private final Pricing pricing;
  private final UnaryOperator<String> labels;
  private final Consumer<LedgerEntry> ledger;

  /** What an answer costs; empty where the model has no price: unknown, and not free. */
  public interface Pricing {
    Optional<Cost> cost(TargetName target, Instant at, Usage usage, Duration compute);
  }

  /**
   * @param labels a model's name as a metric may carry it
   * @param ledger takes an entry; never waits and never throws
   */
  public Settlement(
      Instruments instruments,
      Pricing pricing,
      UnaryOperator<String> labels,
      Consumer<LedgerEntry> ledger) {
    this.instruments = instruments;
    this.pricing = pricing;
    this.labels = labels;
    this.ledger = ledger;
  }

  /** Lets every series of a model show at 0. */
  public void announce(String label, String provider) {
    for (Outcome outcome : Outcome.values()) {
      instruments.add(Metric.LLM_REQUESTS, 0, label, provider, outcome.label());
    }
    tokens(Usage.NONE).forEach((type, count) -> addTokens(0, label, provider, type));
    instruments.add(Metric.LLM_COST, 0, label, provider);
    instruments.add(Metric.LLM_COMPARISON_COST, 0, label, provider);
    instruments.add(Metric.LLM_UNPRICED_REQUESTS, 0, label, provider);
  }

  /** Settles a call; only the first time counts. */
  public void settle(Call call) {
    CallRecord record = call.record();
    if (!record.settle()) {
      return;
    }
    CallRecord.Routed routed = record.routed();
    List<Attempt> attempts = record.attempts();
    FinishReason cached = record.cached();
    Outcome outcome = record.outcome() == null ? Outcome.ERROR : record.outcome();
    if (cached != null && routed != null) {
      count(labels.apply(routed.target().model()), routed.target().provider(), Outcome.CACHED);
      ledger.accept(cachedEntry(call, routed, cached));
    } else if (attempts.isEmpty()) {
      count(OTHER, NOBODY, outcome);
    } else {
      for (int i = 0; i < attempts.size() - 1; i++) {
        settleFallenBack(call, attempts.get(i), i + 1);
      }
      settleLast(call, outcome, attempts.getLast(), attempts.size());
    }
  }

  private void settleLast(Call call, Outcome outcome, Attempt attempt, int number) {
    String label = attempt.target().label();
    String provider = attempt.target().name().provider();
    Cost cost = outcome == Outcome.REJECTED ? null : cost(call, attempt).orElse(null);
    try (Scope ignored = attempt.context().makeCurrent()) { // histograms keep it as exemplar
      count(label, provider, outcome);
      if (outcome != Outcome.REJECTED) {
        instruments.record(Metric.LLM_REQUEST_DURATION, attempt.duration(), label, provider);
        if (cost == null) {
          instruments.add(Metric.LLM_UNPRICED_REQUESTS, 1, label, provider);
        }
      }
      record(Metric.LLM_TIME_TO_FIRST_TOKEN, attempt.timeToFirstToken(), label, provider);
      record(Metric.LLM_TIME_PER_OUTPUT_TOKEN, attempt.timePerOutputToken(), label, provider);
      use(attempt, cost);
      ledger.accept(entry(call, call.id(), outcome, attempt, number, cost));
    }
    attempt.endSpan(cost);
  }

  /** An attempt before the last: if a model worked, its tokens and its cost are its own. */
  private void settleFallenBack(Call call, Attempt attempt, int number) {
    Cost cost = attempt.worked() ? cost(call, attempt).orElse(null) : null;
    if (attempt.worked()) {
      String label = attempt.target().label();
      String provider = attempt.target().name().provider();
      try (Scope ignored = attempt.context().makeCurrent()) {
        instruments.record(Metric.LLM_REQUEST_DURATION, attempt.duration(), label, provider);
        if (cost == null) {
          instruments.add(Metric.LLM_UNPRICED_REQUESTS, 1, label, provider);
        }
        use(attempt, cost);
        ledger.accept(entry(call, UuidV7.next(), attempt.outcome(), attempt, number, cost));
      }
    }
    attempt.endSpan(cost);
  }

  private Optional<Cost> cost(Call call, Attempt attempt) {
    Timings timings = attempt.timings();
    Duration compute = timings == null ? attempt.duration() : timings.compute();
    return pricing.cost(
        attempt.target().name(),
        UuidV7.time(call.id()),
        attempt.usage(),
        attempt.worked() ? compute : Duration.ZERO);
  }

  private void use(Attempt attempt, @Nullable Cost cost) {
    String label = attempt.target().label();
    String provider = attempt.target().name().provider();
    tokens(attempt.usage()).forEach((type, count) -> addTokens(count, label, provider, type));
    if (cost != null) {
      instruments.add(Metric.LLM_COST, cost.usd().doubleValue(), label, provider);
      if (cost.comparison() != null) {
        instruments.add(
            Metric.LLM_COMPARISON_COST, cost.comparison().doubleValue(), label, provider);
      }
    }
  }

  private static Map<String, Integer> tokens(Usage usage) {
    return Map.of(
        "input", usage.freshInputTokens(),
        "cached_input", usage.cachedInputTokens(),
        "output", usage.answerTokens(),
        "reasoning", usage.reasoningTokens());
  }

  private void addTokens(int count, String label, String provider, String type) {
    instruments.add(Metric.LLM_TOKENS, count, label, provider, type);
  }

  private void count(String label, String provider, Outcome outcome) {
    instruments.add(Metric.LLM_REQUESTS, 1, label, provider, outcome.label());
  }

  private void record(Metric metric, @Nullable Duration time, String label, String provider) {
    if (time != null) {
      instruments.record(metric, time, label, provider);
    }
  }

  private static LedgerEntry entry(
      Call call, UUID id, Outcome outcome, Attempt attempt, int number, @Nullable Cost cost) {
    Usage usage = attempt.usage();
    return new LedgerEntry(
        id,
        call.id(),
        number,
        call.userId(),
        call.endUser(),
        call.requestId(),
        attempt.span().getSpanContext().getTraceId(),
        call.question().operation().id(),
        attempt.target().name().model(),
        attempt.target().name().provider(),
        outcome.label(),
        usage.freshInputTokens(),
        usage.cachedInputTokens(),
        usage.answerTokens(),
        usage.reasoningTokens(),
        usage.estimated(),
        cost == null ? null : cost.usd(),
        call.streamed(),
        attempt.duration(),
        attempt.timeToFirstToken(),
        attempt.reason() == null ? null : attempt.reason().id());
  }

  private static LedgerEntry cachedEntry(Call call, CallRecord.Routed routed, FinishReason reason) {
    return new LedgerEntry(
        call.id(),
        call.id(),
        1,
        call.userId(),
        call.endUser(),
        call.requestId(),
        Span.current().getSpanContext().getTraceId(),
        call.question().operation().id(),
        routed.target().model(),
        routed.target().provider(),
        Outcome.CACHED.label(),
        0,
        0,
        0,
        0,
        false,
        BigDecimal.ZERO,
        call.streamed(),
        Duration.ZERO,
        null,
        reason.id());
  }
}
