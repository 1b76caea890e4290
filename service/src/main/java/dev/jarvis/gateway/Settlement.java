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
import java.util.Optional;
import java.util.UUID;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * Records a call once it has ended, however it ended: metrics, the ends of its attempts' spans, and
 * ledger entries: one for the call, and one for each earlier attempt at which a model worked.
 * Thread-safe.
 */
public final class Settlement {
  /** The labels of a call that reached no model. */
  private static final Series NO_MODEL = new Series("_other", "_none");

  private final Instruments instruments;
  private final Pricing pricing;
  private final UnaryOperator<String> labels;
  private final Consumer<LedgerEntry> ledger;

  /** Calculates what an answer costs; empty if the model has no price: unknown, not free. */
  public interface Pricing {
    Optional<Cost> cost(TargetName target, Instant at, Usage usage, Duration compute);
  }

  /** The labels that the series of one target have in common. */
  private record Series(String model, String provider) {
    static Series of(Attempt attempt) {
      return new Series(attempt.target().label(), attempt.target().name().provider());
    }
  }

  /**
   * @param labels returns the label of a model's name: bounded, unlike the name
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

  /** Shows every series of a model at 0. */
  public void announce(String label, String provider) {
    for (Outcome outcome : Outcome.values()) {
      instruments.add(Metric.LLM_REQUESTS, 0, label, provider, outcome.label());
    }
    countTokens(Usage.NONE, new Series(label, provider));
    instruments.add(Metric.LLM_COST, 0, label, provider);
    instruments.add(Metric.LLM_COMPARISON_COST, 0, label, provider);
    instruments.add(Metric.LLM_UNPRICED_REQUESTS, 0, label, provider);
    instruments.add(Metric.LLM_TRUNCATED_PROMPTS, 0, label, provider);
  }

  /** Settles a call; does nothing if that was done before. */
  public void settle(Call call) {
    CallRecord record = call.record();
    if (!record.settle()) {
      return;
    }
    CallRecord.Routed routed = record.routed();
    List<Attempt> attempts = record.attempts();
    FinishReason cached = record.cached();
    Outcome outcome = record.outcome() == null ? Outcome.ERROR : record.outcome();
    release(record, outcome, attempts);
    if (cached != null && routed != null) {
      TargetName target = routed.target();
      count(new Series(labels.apply(target.model()), target.provider()), Outcome.CACHED);
      ledger.accept(cachedEntry(call, target, cached));
    } else if (attempts.isEmpty()) {
      count(NO_MODEL, outcome);
    } else {
      for (int i = 0; i < attempts.size() - 1; i++) {
        settleFailedAttempt(call, attempts.get(i), i + 1);
      }
      settleLastAttempt(call, outcome, attempts.getLast(), attempts.size());
    }
  }

  /** Before all that could fail. */
  private static void release(CallRecord record, Outcome outcome, List<Attempt> attempts) {
    Hold hold = record.hold();
    if (hold != null) {
      hold.settle(outcome, attempts.stream().mapToLong(it -> it.usage().tokens()).sum());
    }
  }

  private void settleLastAttempt(Call call, Outcome outcome, Attempt attempt, int number) {
    Series series = Series.of(attempt);
    Cost cost = outcome == Outcome.REJECTED ? null : cost(call, attempt).orElse(null);
    // histograms keep the current span as exemplar
    try (Scope ignored = attempt.context().makeCurrent()) {
      count(series, outcome);
      if (outcome != Outcome.REJECTED) {
        recordWork(attempt, series, cost);
      }
      record(Metric.LLM_TIME_TO_FIRST_TOKEN, attempt.timeToFirstToken(), series);
      record(Metric.LLM_TIME_PER_OUTPUT_TOKEN, attempt.timePerOutputToken(), series);
      recordUsage(attempt, series, cost);
      ledger.accept(entry(call, call.id(), outcome, attempt, number, cost));
    }
    attempt.endSpan(cost);
  }

  /** An attempt that was followed by another one: it costs something only if a model worked. */
  private void settleFailedAttempt(Call call, Attempt attempt, int number) {
    Cost cost = attempt.worked() ? cost(call, attempt).orElse(null) : null;
    if (attempt.worked()) {
      Series series = Series.of(attempt);
      try (Scope ignored = attempt.context().makeCurrent()) {
        recordWork(attempt, series, cost);
        recordUsage(attempt, series, cost);
        ledger.accept(entry(call, UuidV7.next(), attempt.outcome(), attempt, number, cost));
      }
    }
    attempt.endSpan(cost);
  }

  private Optional<Cost> cost(Call call, Attempt attempt) {
    return pricing.cost(
        attempt.target().name(), UuidV7.time(call.id()), attempt.usage(), attempt.machineTime());
  }

  private void count(Series series, Outcome outcome) {
    instruments.add(Metric.LLM_REQUESTS, 1, series.model(), series.provider(), outcome.label());
  }

  private void recordWork(Attempt attempt, Series series, @Nullable Cost cost) {
    record(Metric.LLM_REQUEST_DURATION, attempt.duration(), series);
    if (cost == null) {
      instruments.add(Metric.LLM_UNPRICED_REQUESTS, 1, series.model(), series.provider());
    }
    if (attempt.truncated()) {
      instruments.add(Metric.LLM_TRUNCATED_PROMPTS, 1, series.model(), series.provider());
    }
  }

  private void recordUsage(Attempt attempt, Series series, @Nullable Cost cost) {
    countTokens(attempt.usage(), series);
    if (cost != null) {
      addUsd(Metric.LLM_COST, cost.usd(), series);
      if (cost.comparison() != null) {
        addUsd(Metric.LLM_COMPARISON_COST, cost.comparison(), series);
      }
    }
  }

  private void addUsd(Metric metric, BigDecimal usd, Series series) {
    instruments.add(metric, usd.doubleValue(), series.model(), series.provider());
  }

  private void countTokens(Usage usage, Series series) {
    usage
        .byKind()
        .forEach(
            (kind, tokens) ->
                instruments.add(
                    Metric.LLM_TOKENS, tokens, series.model(), series.provider(), kind));
  }

  private void record(Metric metric, @Nullable Duration time, Series series) {
    if (time != null) {
      instruments.record(metric, time, series.model(), series.provider());
    }
  }

  private static LedgerEntry entry(
      Call call, UUID id, Outcome outcome, Attempt attempt, int number, @Nullable Cost cost) {
    return new LedgerEntry(
        id,
        origin(call, number, attempt.span()),
        new LedgerEntry.Result(
            call.question().operation(), attempt.target().name(), outcome, attempt.finishReason()),
        attempt.usage(),
        cost == null ? null : cost.usd(),
        new LedgerEntry.Delivery(call.streamed(), attempt.duration(), attempt.timeToFirstToken()));
  }

  private static LedgerEntry cachedEntry(Call call, TargetName target, FinishReason reason) {
    return new LedgerEntry(
        call.id(),
        origin(call, 1, Span.current()),
        new LedgerEntry.Result(call.question().operation(), target, Outcome.CACHED, reason),
        Usage.NONE,
        BigDecimal.ZERO,
        LedgerEntry.Delivery.cached(call.streamed()));
  }

  private static LedgerEntry.Origin origin(Call call, int attempt, Span span) {
    return new LedgerEntry.Origin(
        call.id(), attempt, call.caller(), call.requestId(), span.getSpanContext().getTraceId());
  }
}
