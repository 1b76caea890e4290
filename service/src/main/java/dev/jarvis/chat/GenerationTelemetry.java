package dev.jarvis.chat;

import dev.jarvis.model.ChatRequest;
import dev.jarvis.model.ChatStream.Reason;
import dev.jarvis.model.ChatStream.Timings;
import dev.jarvis.model.ChatStream.Usage;
import dev.jarvis.model.ModelException;
import dev.jarvis.model.Prices.Cost;
import dev.jarvis.telemetry.ClientOperation;
import dev.jarvis.telemetry.Instruments;
import dev.jarvis.telemetry.Metric;
import dev.jarvis.telemetry.Telemetry;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.context.Context;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The client span {@code chat {model}} and the {@code llm_*} metrics of one generation, after
 * OpenTelemetry's semantic conventions for generative AI.
 */
final class GenerationTelemetry {
  private static final AttributeKey<List<String>> STOP_SEQUENCES =
      AttributeKey.stringArrayKey("gen_ai.request.stop_sequences");
  private static final AttributeKey<List<String>> FINISH_REASONS =
      AttributeKey.stringArrayKey("gen_ai.response.finish_reasons");

  private final Instruments instruments;
  private final String model;
  private final String provider;
  private final Span span;
  private final Context context;
  private final long startNanos;
  private long firstPieceNanos;

  /**
   * @param operation {@code chat} or {@code embeddings}
   * @param requested the model's name at its provider
   * @param model the label: bounded, unlike that name
   * @param startNanos when the first target was asked: what the client waits from
   */
  GenerationTelemetry(
      Telemetry telemetry,
      String operation,
      String requested,
      String model,
      String provider,
      long startNanos) {
    this.startNanos = startNanos;
    this.instruments = telemetry.instruments();
    this.model = model;
    this.provider = provider;
    this.span =
        telemetry
            .tracer()
            .spanBuilder(operation + " " + requested)
            .setSpanKind(SpanKind.CLIENT)
            .setAttribute("gen_ai.operation.name", operation)
            .setAttribute("gen_ai.provider.name", provider)
            .setAttribute(ClientOperation.PEER, provider)
            .setAttribute("gen_ai.request.model", requested)
            .setAttribute("gen_ai.response.model", requested)
            .startSpan();
    this.context = Context.current().with(span);
  }

  /** Tells how the model is asked. */
  GenerationTelemetry describe(ChatRequest request) {
    request.temperature().ifPresent(it -> span.setAttribute("gen_ai.request.temperature", it));
    request.topP().ifPresent(it -> span.setAttribute("gen_ai.request.top_p", it));
    request.maxTokens().ifPresent(it -> span.setAttribute("gen_ai.request.max_tokens", it));
    request.seed().ifPresent(it -> span.setAttribute("gen_ai.request.seed", it));
    if (!request.stop().isEmpty()) {
      span.setAttribute(STOP_SEQUENCES, request.stop());
    }
    return this;
  }

  Context context() {
    return context;
  }

  String traceId() {
    return span.getSpanContext().getTraceId();
  }

  long elapsedNanos() {
    return System.nanoTime() - startNanos;
  }

  /** Notes that a piece of the answer came. */
  void piece() {
    if (firstPieceNanos == 0) {
      firstPieceNanos = System.nanoTime();
    }
  }

  @Nullable Duration timeToFirstToken() {
    return firstPieceNanos == 0 ? null : Duration.ofNanos(firstPieceNanos - startNanos);
  }

  /** Ends the span of an attempt after which another target is asked. */
  void failed(ModelException error) {
    span.setStatus(StatusCode.ERROR);
    span.setAttribute("error.type", error.getClass().getSimpleName());
    span.end();
  }

  /**
   * Records the end; to be called once.
   *
   * @param cost null where the model has no price
   */
  void end(
      Outcome outcome,
      Usage usage,
      @Nullable Cost cost,
      Duration duration,
      @Nullable Timings timings,
      @Nullable Reason reason,
      @Nullable Throwable error) {
    try (var ignored = context.makeCurrent()) { // so that the histograms keep this span as exemplar
      instruments.add(Metric.LLM_REQUESTS, 1, model, provider, outcome.label());
      instruments.add(Metric.LLM_TOKENS, usage.freshInputTokens(), model, provider, "input");
      instruments.add(
          Metric.LLM_TOKENS, usage.cachedInputTokens(), model, provider, "cached_input");
      instruments.add(Metric.LLM_TOKENS, usage.outputTokens(), model, provider, "output");
      if (outcome != Outcome.REJECTED) {
        instruments.record(Metric.LLM_REQUEST_DURATION, duration, model, provider);
        price(cost);
      }
      Duration first = timeToFirstToken();
      if (first != null) {
        instruments.record(Metric.LLM_TIME_TO_FIRST_TOKEN, first, model, provider);
        if (usage.outputTokens() > 1) {
          instruments.record(
              Metric.LLM_TIME_PER_OUTPUT_TOKEN,
              duration.minus(first).dividedBy(usage.outputTokens() - 1),
              model,
              provider);
        }
      }
      if (timings != null) {
        OllamaTelemetry.record(instruments, model, provider, timings, usage);
      }
    }
    if (timings != null) {
      OllamaTelemetry.tell(span, timings, usage);
    }
    span.setAttribute("gen_ai.usage.input_tokens", usage.inputTokens());
    span.setAttribute("gen_ai.usage.output_tokens", usage.outputTokens());
    if (usage.cachedInputTokens() > 0) {
      span.setAttribute("gen_ai.usage.cache_read.input_tokens", usage.cachedInputTokens());
    }
    if (usage.estimated()) {
      span.setAttribute("jarvis.usage.estimated", true);
    }
    span.setAttribute("jarvis.outcome", outcome.label());
    if (reason != null) {
      span.setAttribute(FINISH_REASONS, List.of(reason.id()));
    }
    if (outcome == Outcome.ERROR || error != null) {
      span.setStatus(StatusCode.ERROR);
      span.setAttribute("error.type", error == null ? "_OTHER" : error.getClass().getSimpleName());
    }
    if (cost != null) {
      span.setAttribute("jarvis.cost_usd", cost.usd().doubleValue());
    }
    span.end();
  }

  private void price(@Nullable Cost cost) {
    if (cost == null) {
      instruments.add(Metric.LLM_UNPRICED_REQUESTS, 1, model, provider);
      return;
    }
    instruments.add(Metric.LLM_COST, cost.usd().doubleValue(), model, provider);
    if (cost.comparison() != null) {
      instruments.add(Metric.LLM_COMPARISON_COST, cost.comparison().doubleValue(), model, provider);
    }
  }

  /** Lets every series of a model show at 0. */
  static void announce(Instruments instruments, String model, String provider) {
    for (Outcome outcome : Outcome.values()) {
      instruments.add(Metric.LLM_REQUESTS, 0, model, provider, outcome.label());
    }
    for (String type : List.of("input", "cached_input", "output")) {
      instruments.add(Metric.LLM_TOKENS, 0, model, provider, type);
    }
    instruments.add(Metric.LLM_COST, 0, model, provider);
    instruments.add(Metric.LLM_COMPARISON_COST, 0, model, provider);
    instruments.add(Metric.LLM_UNPRICED_REQUESTS, 0, model, provider);
  }
}
