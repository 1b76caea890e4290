package dev.jarvis.chat;

import dev.jarvis.chat.Generation.Outcome;
import dev.jarvis.model.ChatRequest;
import dev.jarvis.model.ChatStream.Finish;
import dev.jarvis.model.ChatStream.Usage;
import dev.jarvis.model.ModelException;
import dev.jarvis.model.Prices.Cost;
import dev.jarvis.telemetry.ClientOperation;
import dev.jarvis.telemetry.Instruments;
import dev.jarvis.telemetry.Metric;
import dev.jarvis.telemetry.Telemetry;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanBuilder;
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
   * @param model the label: bounded, unlike the request's own
   * @param startNanos when the first target was asked: what the client waits from
   */
  GenerationTelemetry(
      Telemetry telemetry, ChatRequest request, String model, String provider, long startNanos) {
    this.startNanos = startNanos;
    this.instruments = telemetry.instruments();
    this.model = model;
    this.provider = provider;
    SpanBuilder builder =
        telemetry
            .tracer()
            .spanBuilder("chat " + request.model())
            .setSpanKind(SpanKind.CLIENT)
            .setAttribute("gen_ai.operation.name", "chat")
            .setAttribute("gen_ai.provider.name", provider)
            .setAttribute(ClientOperation.PEER, provider)
            .setAttribute("gen_ai.request.model", request.model())
            .setAttribute("gen_ai.response.model", request.model());
    request.temperature().ifPresent(it -> builder.setAttribute("gen_ai.request.temperature", it));
    request.topP().ifPresent(it -> builder.setAttribute("gen_ai.request.top_p", it));
    request.maxTokens().ifPresent(it -> builder.setAttribute("gen_ai.request.max_tokens", it));
    request.seed().ifPresent(it -> builder.setAttribute("gen_ai.request.seed", it));
    if (!request.stop().isEmpty()) {
      builder.setAttribute(STOP_SEQUENCES, request.stop());
    }
    this.span = builder.startSpan();
    this.context = Context.current().with(span);
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
      @Nullable Finish finish,
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
      if (finish != null && finish.timings() != null) {
        OllamaTelemetry.record(instruments, model, provider, finish.timings(), usage);
      }
    }
    if (finish != null && finish.timings() != null) {
      OllamaTelemetry.tell(span, finish.timings(), usage);
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
    if (finish != null) {
      span.setAttribute(FINISH_REASONS, List.of(finish.reason().id()));
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
