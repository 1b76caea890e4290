package dev.jarvis.chat;

import static java.util.Objects.requireNonNull;

import dev.jarvis.http.ApiException;
import dev.jarvis.http.ClientWatch;
import dev.jarvis.http.Exchange;
import dev.jarvis.http.RequestIds;
import dev.jarvis.ledger.LlmUse;
import dev.jarvis.model.ChatRequest;
import dev.jarvis.model.ChatStream;
import dev.jarvis.model.ChatStream.Chunk;
import dev.jarvis.model.ChatStream.Finish;
import dev.jarvis.model.ChatStream.Usage;
import dev.jarvis.model.Decision;
import dev.jarvis.model.ModelException;
import dev.jarvis.model.Models;
import dev.jarvis.model.Prices;
import dev.jarvis.model.Prices.Cost;
import java.time.Duration;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * One answer of a model from the question to its recorded use: a span, metrics and a ledger row,
 * exactly once, however it ends. Used by the request's thread alone.
 */
final class Generation implements AutoCloseable {
  /** How a generation ended, as {@code outcome} names it. */
  enum Outcome {
    OK,
    ERROR,
    ABORTED,
    REJECTED;

    String label() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  private final Exchange exchange;
  private final ClientWatch client;
  private final boolean streamed;
  private final long maxNanos;
  private final Attempts attempts;
  private final Prices prices;
  private final Consumer<LlmUse> ledger;
  private @Nullable Finish finish;
  private boolean ended;

  private Generation(
      Exchange exchange,
      ClientWatch client,
      boolean streamed,
      Duration maxDuration,
      Attempts attempts,
      Prices prices,
      Consumer<LlmUse> ledger) {
    this.exchange = exchange;
    this.client = client;
    this.streamed = streamed;
    this.maxNanos = maxDuration.toNanos();
    this.attempts = attempts;
    this.prices = prices;
    this.ledger = ledger;
  }

  /**
   * Asks the models of a decision until one begins to answer.
   *
   * @param client who waits for the answer; not watched any more once it has ended
   * @throws ApiException if none does; that is recorded too
   */
  static Generation open(
      ChatRequest request,
      Exchange exchange,
      ClientWatch client,
      Decision decision,
      boolean streamed,
      Duration maxDuration,
      Attempts attempts,
      Prices prices,
      Consumer<LlmUse> ledger) {
    Generation generation =
        new Generation(exchange, client, streamed, maxDuration, attempts, prices, ledger);
    try {
      attempts.open(request, decision);
    } catch (ModelException e) {
      throw generation.failed(e);
    } catch (RuntimeException | Error e) {
      if (attempts.last() != null) {
        generation.end(Outcome.ERROR, e);
      }
      throw e;
    }
    return generation;
  }

  /** The model that answers, and who runs it. */
  Models.Target target() {
    return attempt().target();
  }

  private Attempts.Attempt attempt() {
    return requireNonNull(attempts.last());
  }

  /**
   * Waits for the next piece; the one with a finish is the last.
   *
   * @throws ApiException if the model fails midway or the answer takes longer than is allowed
   */
  Chunk next() {
    Attempts.Attempt attempt = attempt();
    ChatStream open = attempt.stream();
    if (open == null || ended) {
      throw new IllegalStateException("no answer is open");
    }
    try {
      if (attempt.telemetry().elapsedNanos() > maxNanos) {
        throw new ModelException.TimedOut(
            "The answer took longer than %d s.".formatted(TimeUnit.NANOSECONDS.toSeconds(maxNanos)),
            null);
      }
      Chunk chunk = open.next();
      if (!chunk.text().isEmpty()) {
        attempt.telemetry().piece();
        attempt.lease().piece();
      }
      if (chunk.finish() != null) {
        finish = chunk.finish();
        end(Outcome.OK, null);
      }
      return chunk;
    } catch (ModelException e) {
      throw failed(e);
    }
  }

  /** The client is gone: ends the generation and counts what was produced. */
  void abort() {
    end(Outcome.ABORTED, null);
  }

  /** Frees the model; an answer that has not ended by then counts as failed. */
  @Override
  public void close() {
    end(Outcome.ERROR, null);
  }

  private ApiException failed(ModelException e) {
    boolean refused =
        e instanceof ModelException.NotFound
            || e instanceof ModelException.Busy
            || e instanceof ModelException.Refused;
    end(refused ? Outcome.REJECTED : Outcome.ERROR, e);
    return error(e);
  }

  static ApiException error(ModelException e) {
    String message = e.getMessage() == null ? "The model failed." : e.getMessage();
    return switch (e) {
      case ModelException.NotFound it ->
          new ApiException.NotFound(message, "model", "model_not_found");
      case ModelException.Unavailable it -> new ApiException.UpstreamFailed(message, it);
      case ModelException.TimedOut it -> new ApiException.UpstreamTimedOut(message, it);
      case ModelException.Busy it -> new ApiException.Overloaded(message);
      case ModelException.Refused it ->
          new ApiException.InvalidRequest(message, null, "refused_by_model");
    };
  }

  private void end(Outcome how, @Nullable Throwable failure) {
    if (ended) {
      return;
    }
    ended = true;
    client.close(); // who has the last piece may go
    // what fails because the client is gone is no failure
    boolean aborted = how != Outcome.OK && client.gone();
    Outcome outcome = aborted ? Outcome.ABORTED : how;
    Throwable error = aborted ? null : failure;
    Attempts.Attempt attempt = attempt();
    ChatStream stream = attempt.stream();
    if (stream != null) {
      stream.close();
    }
    attempt.lease().end(outcome == Outcome.ERROR);
    Finish last = finish;
    Usage usage = last != null ? last.usage() : stream != null ? stream.usage() : new Usage(0, 0);
    exchange.outcome(attempt.target().model(), outcome.label());
    GenerationTelemetry telemetry = attempt.telemetry();
    Duration duration = Duration.ofNanos(telemetry.elapsedNanos());
    Duration compute = last == null || last.timings() == null ? duration : last.timings().compute();
    Cost cost =
        outcome == Outcome.REJECTED
            ? null
            : prices
                .cost(attempt.target(), RequestIds.time(exchange.id()), usage, compute)
                .orElse(null);
    telemetry.end(outcome, usage, cost, duration, last, error);
    try (var ignored = telemetry.context().makeCurrent()) {
      ledger.accept(
          new LlmUse(
              exchange.id(),
              exchange.userId() == null ? "" : exchange.userId(),
              exchange.endUser(),
              exchange.requestId(),
              telemetry.traceId(),
              attempt.target().model(),
              attempt.target().provider().name(),
              outcome.label(),
              usage.inputTokens(),
              0,
              usage.outputTokens(),
              cost == null ? null : cost.usd(),
              streamed,
              duration,
              telemetry.timeToFirstToken(),
              last == null ? null : last.reason().name().toLowerCase(Locale.ROOT)));
    }
  }
}
