package dev.jarvis.gateway;

import dev.jarvis.id.UuidV7;
import dev.jarvis.telemetry.Instruments;
import dev.jarvis.telemetry.Metric;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.context.Scope;
import java.math.BigDecimal;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * Records a call once it has ended, however it ended: metrics, the ends of its attempts' spans, and
 * its ledger entry. Thread-safe.
 */
public final class Settlement {
  /** The labels of a call that reached no model. */
  private static final Series NO_MODEL = new Series("_other", "_none");

  private final Instruments instruments;
  private final Pricing pricing;
  private final UnaryOperator<String> labels;
  private final Function<Instant, LocalDate> days;
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
   * @param days the day on which a call counts that no budget's clock has dated
   * @param ledger takes an entry; never waits and never throws
   */
  public Settlement(
      Instruments instruments,
      Pricing pricing,
      UnaryOperator<String> labels,
      Function<Instant, LocalDate> days,
      Consumer<LedgerEntry> ledger) {
    this.instruments = instruments;
    this.pricing = pricing;
    this.labels = labels;
    this.days = days;
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
      book(cachedEntry(call, target, cached), record);
      count(new Series(labels.apply(target.model()), target.provider()), Outcome.CACHED);
    } else if (attempts.isEmpty()) {
      book(null, record);
      count(NO_MODEL, outcome);
    } else {
      settleAttempts(call, outcome, attempts);
    }
  }

  /**
   * Books a call that its own replica did not live to settle, and counts it: whoever settles a call
   * counts it.
   */
  public void recover(LedgerEntry entry) {
    ledger.accept(entry);
    instruments.add(
        Metric.LEDGER_RECOVERED_CALLS, 1, entry.rank() == Rank.RECOVERED ? "other" : "owner");
    for (AttemptEntry attempt : entry.attempts()) {
      TargetName target = attempt.target();
      Series series = new Series(labels.apply(target.model()), target.provider());
      count(series, attempt.outcome());
      recordUsage(attempt.usage(), series, attempt.cost());
      countUnpriced(series, attempt.cost());
    }
  }

  /** Before all that could fail. */
  private static void release(CallRecord record, Outcome outcome, List<Attempt> attempts) {
    Hold hold = record.hold();
    if (hold != null) {
      hold.settle(outcome, attempts.stream().mapToLong(it -> it.usage().tokens()).sum());
    }
  }

  /** The ledger first: what it has, nobody need estimate. */
  private void book(@Nullable LedgerEntry entry, CallRecord record) {
    if (entry != null) {
      ledger.accept(entry);
    }
    record.accounts().forEach(it -> it.settle(entry));
  }

  private void settleAttempts(Call call, Outcome outcome, List<Attempt> attempts) {
    List<AttemptEntry> entries = new ArrayList<>();
    for (Attempt attempt : attempts) {
      entries.add(
          attempt == attempts.getLast()
              ? attemptEntry(call, attempt, attempts.size(), outcome, outcome != Outcome.REJECTED)
              : attemptEntry(
                  call, attempt, entries.size() + 1, attempt.outcome(), attempt.worked()));
    }
    Attempt last = attempts.getLast();
    try (Scope ignored = last.context().makeCurrent()) {
      book(entry(call, outcome, last, entries), call.record());
    }
    for (int i = 0; i < attempts.size(); i++) {
      recordAttempt(attempts.get(i), entries.get(i), i == attempts.size() - 1);
    }
  }

  private void recordAttempt(Attempt attempt, AttemptEntry entry, boolean last) {
    Series series = Series.of(attempt);
    // histograms keep the current span as exemplar
    try (Scope ignored = attempt.context().makeCurrent()) {
      if (last) {
        count(series, entry.outcome());
        record(Metric.LLM_TIME_TO_FIRST_TOKEN, attempt.timeToFirstToken(), series);
        record(Metric.LLM_TIME_PER_OUTPUT_TOKEN, attempt.timePerOutputToken(), series);
      }
      if (last ? entry.outcome() != Outcome.REJECTED : entry.worked()) {
        recordWork(attempt, series, entry.cost());
      }
      if (last || entry.worked()) {
        recordUsage(entry.usage(), series, entry.cost());
      }
    }
    attempt.endSpan(entry.cost());
  }

  private AttemptEntry attemptEntry(
      Call call, Attempt attempt, int number, Outcome outcome, boolean priced) {
    return new AttemptEntry(
        number,
        attempt.target().name(),
        outcome,
        attempt.worked(),
        attempt.finishReason(),
        attempt.usage(),
        priced ? cost(call, attempt).orElse(null) : null,
        attempt.duration(),
        attempt.timeToFirstToken());
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
    countUnpriced(series, cost);
    if (attempt.truncated()) {
      instruments.add(Metric.LLM_TRUNCATED_PROMPTS, 1, series.model(), series.provider());
    }
  }

  private void countUnpriced(Series series, @Nullable Cost cost) {
    if (cost == null) {
      instruments.add(Metric.LLM_UNPRICED_REQUESTS, 1, series.model(), series.provider());
    }
  }

  private void recordUsage(Usage usage, Series series, @Nullable Cost cost) {
    countTokens(usage, series);
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

  private LedgerEntry entry(Call call, Outcome outcome, Attempt last, List<AttemptEntry> attempts) {
    boolean estimated = attempts.stream().anyMatch(it -> it.usage().estimated());
    return new LedgerEntry(
        call.id(),
        estimated ? Rank.ESTIMATED : Rank.EXACT,
        day(call),
        Origin.of(call, last.span().getSpanContext().getTraceId()),
        Asked.of(call),
        new LedgerEntry.Result(last.target().name(), outcome, last.finishReason()),
        attempts);
  }

  private LedgerEntry cachedEntry(Call call, TargetName target, FinishReason reason) {
    return new LedgerEntry(
        call.id(),
        Rank.EXACT,
        day(call),
        Origin.of(call, Span.current().getSpanContext().getTraceId()),
        Asked.of(call),
        new LedgerEntry.Result(target, Outcome.CACHED, reason),
        List.of());
  }

  private LocalDate day(Call call) {
    Intent intent = call.record().intent();
    return intent == null ? days.apply(UuidV7.time(call.id())) : intent.day();
  }
}
