package dev.jarvis.gateway;

import dev.jarvis.telemetry.ClientOperation;
import dev.jarvis.telemetry.Telemetry;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.context.Context;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One attempt to get an answer from a target, with its own clock, span and usage, so that the time
 * and cost of a failed attempt are not booked on the next one. The only place that measures the
 * time to the first token and counts pieces and usage. Used by one thread at a time.
 */
public final class Attempt {
  private static final AttributeKey<List<String>> STOP_SEQUENCES =
      AttributeKey.stringArrayKey("gen_ai.request.stop_sequences");
  private static final AttributeKey<List<String>> FINISH_REASONS =
      AttributeKey.stringArrayKey("gen_ai.response.finish_reasons");

  private static final int MAX_REASON = 500;

  private final Question question;
  private final boolean streamed;
  private final Target target;
  private final Span span;
  private final Context context;
  private final long startNanos = System.nanoTime();
  private long firstNanos;
  private long endNanos;
  private Instant endedAt = Instant.EPOCH;
  private boolean worked;
  private @Nullable Usage reported;
  private int piecesSince;
  private @Nullable FinishReason finishReason;
  private int finishedChoice;
  private final Notes notes = new Notes();
  private @Nullable Timings timings;
  private Outcome outcome = Outcome.ERROR;
  private @Nullable Throwable error;

  /**
   * What an attempt needs to know of its target.
   *
   * @param label the model's label in metrics: bounded, unlike its name
   * @param tokensPerSecond recent output speed; NaN if not known
   */
  public record Target(TargetName name, String label, double tokensPerSecond) {}

  /**
   * @param streamed whether the target is asked for a stream: only then the arrival of a piece
   *     shows when it was written
   */
  public Attempt(Telemetry telemetry, Question question, boolean streamed, Target target) {
    this.question = question;
    this.streamed = streamed;
    this.target = target;
    String provider = target.name().provider();
    String model = target.name().model();
    String operation = question.operation().id();
    this.span =
        telemetry
            .tracer()
            .spanBuilder(operation + " " + model)
            .setSpanKind(SpanKind.CLIENT)
            .setAttribute("gen_ai.operation.name", operation)
            .setAttribute("gen_ai.provider.name", provider)
            .setAttribute(ClientOperation.PEER, provider)
            .setAttribute("gen_ai.request.model", model)
            .setAttribute("gen_ai.response.model", model)
            .startSpan();
    this.context = Context.current().with(span);
    if (question instanceof ChatRequest chat) {
      describe(chat);
    }
  }

  private void describe(ChatRequest chat) {
    chat.temperature().ifPresent(it -> span.setAttribute("gen_ai.request.temperature", it));
    chat.topP().ifPresent(it -> span.setAttribute("gen_ai.request.top_p", it));
    chat.maxTokens().ifPresent(it -> span.setAttribute("gen_ai.request.max_tokens", it));
    chat.seed().ifPresent(it -> span.setAttribute("gen_ai.request.seed", it));
    if (!chat.stop().isEmpty()) {
      span.setAttribute(STOP_SEQUENCES, chat.stop());
    }
  }

  /** The OpenTelemetry context with the attempt's span. */
  public Context context() {
    return context;
  }

  /** Whether the target is asked for a stream. */
  public boolean streamed() {
    return streamed;
  }

  public Target target() {
    return target;
  }

  /** The model server accepted the request: from now on its work may cost something. */
  public void began() {
    worked = true;
  }

  /** Counts an event of the answer. */
  public void observe(Event event) {
    if (event.says()) {
      piecesSince++;
      if (firstNanos == 0) {
        firstNanos = System.nanoTime();
      }
    }
    switch (event) {
      case Event.UsageReport it -> {
        reported = it.usage();
        piecesSince = 0;
      }
      case Event.ChoiceEnd it -> {
        if (finishReason == null || it.choice() < finishedChoice) {
          finishReason = it.reason();
          finishedChoice = it.choice();
        }
      }
      case Event.Note it -> notes.add(it);
      case Event.End it -> timings = it.timings();
      default -> {}
    }
  }

  /** Whether the model has not seen the whole prompt, as far as is known. */
  boolean truncated() {
    return notes.byKind().containsKey(Event.Note.Kind.TRUNCATED.id());
  }

  /** Ends the attempt; only the first call has an effect. */
  public void end(Outcome how, @Nullable Throwable failure) {
    if (endNanos == 0) {
      endNanos = System.nanoTime();
      endedAt = Instant.now();
      outcome = how;
      error = failure;
      // a stream may begin with a refusal
      worked &= how != Outcome.REJECTED || firstNanos != 0 || reported != null;
    }
  }

  public Outcome outcome() {
    return outcome;
  }

  /** Whether a model has worked, so that it may have cost something. */
  public boolean worked() {
    return worked;
  }

  Span span() {
    return span;
  }

  @Nullable Timings timings() {
    return timings;
  }

  /** The finish reason of the choice with the lowest index; null if no choice has ended. */
  @Nullable FinishReason finishReason() {
    return finishReason;
  }

  /** Since its start, until its end. */
  public Duration duration() {
    return Duration.ofNanos((endNanos == 0 ? System.nanoTime() : endNanos) - startNanos);
  }

  /** Measured for a stream; reported by the server for a whole answer; null if not known. */
  public @Nullable Duration timeToFirstToken() {
    if (streamed) {
      return firstNanos == 0 ? null : Duration.ofNanos(firstNanos - startNanos);
    }
    return timings == null || question.operation() != Operation.CHAT
        ? null
        : timings.toFirstToken();
  }

  /** The mean time between output tokens of a stream; null for a whole answer. */
  @Nullable Duration timePerOutputToken() {
    int tokens = usage().outputTokens();
    if (!streamed || firstNanos == 0 || tokens < 2) {
      return null;
    }
    return duration().minusNanos(firstNanos - startNanos).dividedBy(tokens - 1);
  }

  /** The output speed; NaN if not known. */
  public double tokensPerSecond() {
    int tokens = usage().outputTokens();
    Timings reported = timings;
    Duration writing = reported == null ? duration() : reported.generation();
    return tokens == 0 || !writing.isPositive() ? Double.NaN : tokens * 1e9 / writing.toNanos();
  }

  /**
   * What the model server counted, else an estimate: one token for four characters of the question
   * and one for each piece of the answer. For an aborted whole answer the output is estimated from
   * the target's recent speed. Nothing if no model worked.
   */
  public Usage usage() {
    if (!worked) {
      return Usage.NONE;
    }
    if (reported == null) {
      return Usage.estimate(question.estimatedTokens()).plusOutput(written());
    }
    return outcome == Outcome.OK ? reported : reported.plusOutput(piecesSince);
  }

  /** An estimate of the output tokens that the server did not report. */
  private int written() {
    boolean unseen =
        outcome == Outcome.ABORTED
            && !streamed
            && piecesSince == 0
            && question.operation() == Operation.CHAT;
    if (!unseen || Double.isNaN(target.tokensPerSecond())) {
      return piecesSince;
    }
    double tokens = target.tokensPerSecond() * duration().toNanos() / 1e9;
    return (int) Math.min(tokens, question.maxTokens().orElse(Integer.MAX_VALUE));
  }

  /** What the model server said, which is the innermost cause. */
  private static String reason(@Nullable Throwable error) {
    Throwable said = error == null || error.getCause() == null ? error : error.getCause();
    String text = said == null || said.getMessage() == null ? "" : said.getMessage();
    return text.substring(0, Math.min(text.length(), MAX_REASON));
  }

  void endSpan(@Nullable Cost cost) {
    Usage usage = usage();
    span.setAttribute("gen_ai.usage.input_tokens", usage.inputTokens());
    span.setAttribute("gen_ai.usage.output_tokens", usage.outputTokens());
    if (usage.cachedInputTokens() > 0) {
      span.setAttribute("gen_ai.usage.cache_read.input_tokens", usage.cachedInputTokens());
    }
    if (usage.reasoningTokens() > 0) {
      span.setAttribute("gen_ai.usage.reasoning.output_tokens", usage.reasoningTokens());
    }
    if (usage.estimated()) {
      span.setAttribute("jarvis.usage.estimated", true);
    }
    notes
        .byKind()
        .forEach(
            (kind, about) ->
                span.setAttribute(AttributeKey.stringArrayKey("jarvis." + kind), about));
    span.setAttribute("jarvis.outcome", outcome.label());
    if (finishReason != null) {
      span.setAttribute(FINISH_REASONS, List.of(finishReason.id()));
    }
    if (outcome == Outcome.ERROR || error != null) {
      span.setStatus(StatusCode.ERROR, reason(error));
      span.setAttribute("error.type", error == null ? "_OTHER" : error.getClass().getSimpleName());
    }
    if (cost != null) {
      span.setAttribute("jarvis.cost_usd", cost.usd().doubleValue());
    }
    if (endNanos == 0) {
      span.end();
    } else {
      span.end(endedAt); // the call may be settled much later
    }
  }
}
