package dev.jarvis.chat;

import dev.jarvis.http.ApiException;
import dev.jarvis.model.ChatRequest;
import dev.jarvis.model.ChatStream;
import dev.jarvis.model.ChatStream.Chunk;
import dev.jarvis.model.ChatStream.Finish;
import dev.jarvis.model.ChatStream.Usage;
import dev.jarvis.model.Decision;
import dev.jarvis.model.ModelException;
import dev.jarvis.model.Models;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * One answer of a model from the question to its recorded use: a span, metrics and a ledger row,
 * exactly once, however it ends. Used by the request's thread alone.
 */
final class Generation implements Answer, AutoCloseable {
  private final boolean streamed;
  private final long maxNanos;
  private final Attempts<ChatStream> attempts;
  private final Settlement settlement;
  private @Nullable Finish finish;
  private boolean ended;

  private Generation(
      boolean streamed,
      Duration maxDuration,
      Attempts<ChatStream> attempts,
      Settlement settlement) {
    this.streamed = streamed;
    this.maxNanos = maxDuration.toNanos();
    this.attempts = attempts;
    this.settlement = settlement;
  }

  /**
   * Asks the models of a decision until one begins to answer.
   *
   * @throws ApiException if none does; that is recorded too
   */
  static Generation open(
      ChatRequest request,
      Decision decision,
      boolean streamed,
      Duration maxDuration,
      Attempts<ChatStream> attempts,
      Settlement settlement) {
    Generation generation = new Generation(streamed, maxDuration, attempts, settlement);
    try {
      attempts.open(target -> target.provider().chat(request.withModel(target.model())), decision);
    } catch (ModelException e) {
      throw generation.failed(e);
    } catch (RuntimeException | Error e) {
      generation.end(Outcome.ERROR, e);
      throw e;
    }
    return generation;
  }

  /** The model that answers, and who runs it. */
  Models.Target target() {
    return attempts.made().target();
  }

  /**
   * @throws ApiException if the model fails midway or the answer takes longer than is allowed
   */
  @Override
  public Chunk next() {
    Attempts.Attempt<ChatStream> attempt = attempts.made();
    ChatStream open = attempt.answer();
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
      if (chunk.says()) {
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

  /** Ends the generation and counts what was produced. */
  @Override
  public void abort() {
    end(Outcome.ABORTED, null);
  }

  /**
   * Frees the model; an answer that has not ended by then counts as failed. The connection of one
   * that has ended is read to its end here: neither the client nor the clocks wait for that.
   */
  @Override
  public void close() {
    end(Outcome.ERROR, null);
    Attempts.Attempt<ChatStream> attempt = attempts.last();
    ChatStream stream = attempt == null ? null : attempt.answer();
    if (stream != null) {
      stream.close();
    }
  }

  private ApiException failed(ModelException e) {
    end(Outcome.of(e), e);
    return ModelErrors.toClient(e);
  }

  private void end(Outcome outcome, @Nullable Throwable error) {
    if (ended) {
      return;
    }
    ended = true;
    settlement.client().close(); // who has the last piece may go
    Attempts.Attempt<ChatStream> attempt = attempts.last();
    if (attempt == null) {
      return; // no model was asked
    }
    ChatStream stream = attempt.answer();
    Finish last = finish;
    if (stream != null && last == null) {
      stream.close(); // stops the model; a stream that has finished is closed by close()
    }
    settlement.settle(
        attempt,
        outcome,
        streamed,
        last != null ? last.usage() : stream != null ? stream.usage() : new Usage(0, 0),
        last == null ? null : last.timings(),
        last == null ? null : last.reason(),
        error);
  }
}
