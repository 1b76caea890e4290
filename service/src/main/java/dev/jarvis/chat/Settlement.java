package dev.jarvis.chat;

import dev.jarvis.http.ClientWatch;
import dev.jarvis.http.Exchange;
import dev.jarvis.http.RequestIds;
import dev.jarvis.ledger.LlmUse;
import dev.jarvis.model.ChatStream.Reason;
import dev.jarvis.model.ChatStream.Timings;
import dev.jarvis.model.ChatStream.Usage;
import dev.jarvis.model.Prices;
import dev.jarvis.model.Prices.Cost;
import io.opentelemetry.context.Scope;
import java.math.BigDecimal;
import java.time.Duration;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * What a request to a model leaves in the end, however it ends: its cost, its metrics, the end of
 * its span and a ledger row.
 *
 * @param operation what the model was asked for: {@code chat} or {@code embeddings}
 * @param client who waits for the answer; not watched any more once it has ended
 */
record Settlement(
    String operation,
    Exchange exchange,
    ClientWatch client,
    Prices prices,
    Consumer<LlmUse> ledger) {

  /**
   * To be called once.
   *
   * @param timings by the model server's own clock; null where it tells none
   * @param reason why the model stopped; null if the answer did not end
   */
  void settle(
      Attempts.Attempt<?> attempt,
      Outcome how,
      boolean streamed,
      Usage usage,
      @Nullable Timings timings,
      @Nullable Reason reason,
      @Nullable Throwable failure) {
    client.close();
    // what fails because the client is gone is no failure
    boolean aborted = how != Outcome.OK && client.gone();
    Outcome outcome = aborted ? Outcome.ABORTED : how;
    Throwable error = aborted ? null : failure;
    if (outcome == Outcome.ABORTED) {
      attempt.lease().abort();
    } else {
      attempt.lease().end(outcome == Outcome.ERROR);
    }
    exchange.outcome(attempt.target().model(), outcome.label());
    GenerationTelemetry telemetry = attempt.telemetry();
    Duration duration = Duration.ofNanos(telemetry.elapsedNanos());
    Cost cost =
        outcome == Outcome.REJECTED
            ? null
            : prices
                .cost(
                    attempt.target(),
                    RequestIds.time(exchange.id()),
                    usage,
                    timings == null ? duration : timings.compute())
                .orElse(null);
    telemetry.end(outcome, usage, cost, duration, timings, reason, error);
    try (Scope ignored = telemetry.context().makeCurrent()) {
      ledger.accept(
          use(
              exchange,
              telemetry.traceId(),
              operation,
              attempt.target().model(),
              attempt.target().provider().name(),
              outcome,
              usage,
              cost == null ? null : cost.usd(),
              streamed,
              duration,
              telemetry.timeToFirstToken(),
              reason == null ? null : reason.id()));
    }
  }

  /** The row of a request, whether a model or the cache answered it. */
  static LlmUse use(
      Exchange exchange,
      String traceId,
      String operation,
      String model,
      String provider,
      Outcome outcome,
      Usage usage,
      @Nullable BigDecimal cost,
      boolean streamed,
      Duration duration,
      @Nullable Duration timeToFirstToken,
      @Nullable String finishReason) {
    return new LlmUse(
        exchange.id(),
        exchange.userId() == null ? "" : exchange.userId(),
        exchange.endUser(),
        exchange.requestId(),
        traceId,
        operation,
        model,
        provider,
        outcome.label(),
        usage.freshInputTokens(),
        usage.cachedInputTokens(),
        usage.outputTokens(),
        usage.estimated(),
        cost,
        streamed,
        duration,
        timeToFirstToken,
        finishReason);
  }
}
