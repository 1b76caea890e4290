package dev.jarvis.provider.ollama;

import dev.jarvis.gateway.Timings;
import dev.jarvis.telemetry.Instruments;
import dev.jarvis.telemetry.Metric;
import io.opentelemetry.api.trace.Span;
import java.time.Duration;

/** Records the times that Ollama reports for its answers: metrics {@code ollama_*}, attributes. */
record OllamaTelemetry(Instruments instruments, String provider) {
  /**
   * A longer load time means that the model was loaded. For a model in memory Ollama 0.11 reports 9
   * to 25 ms, and less than 230 ms with 16 parallel requests. A load waits for a new process in
   * steps of 250 ms and took at least 360 ms, for the smallest model with its file in the page
   * cache.
   */
  static final Duration COLD_LOAD = Duration.ofMillis(300);

  /** Shows a model's counters at 0. */
  void announce(String label) {
    instruments.add(Metric.OLLAMA_GENERATED_TOKENS, 0, label, provider);
    instruments.add(Metric.OLLAMA_COLD_LOADS, 0, label, provider);
  }

  OfModel of(String label) {
    return new OfModel(label);
  }

  /** Records the answers of one model. */
  final class OfModel {
    private final String label;

    private OfModel(String label) {
      this.label = label;
    }

    /** Must be called within the attempt's span. */
    void answered(Timings timings, int outputTokens) {
      boolean cold = timings.load().compareTo(COLD_LOAD) > 0;
      boolean wrote = timings.generation().isPositive(); // embeddings write nothing
      instruments.record(Metric.OLLAMA_LOAD_DURATION, timings.load(), label, provider);
      instruments.record(Metric.OLLAMA_PROMPT_DURATION, timings.prompt(), label, provider);
      if (wrote) {
        instruments.record(
            Metric.OLLAMA_GENERATION_DURATION, timings.generation(), label, provider);
      }
      instruments.add(Metric.OLLAMA_GENERATED_TOKENS, outputTokens, label, provider);
      instruments.add(Metric.OLLAMA_COLD_LOADS, cold ? 1 : 0, label, provider);
      Span span = Span.current();
      span.setAttribute("jarvis.ollama.load_duration_ms", timings.load().toMillis());
      span.setAttribute("jarvis.ollama.prompt_duration_ms", timings.prompt().toMillis());
      span.setAttribute("jarvis.ollama.generation_duration_ms", timings.generation().toMillis());
      span.setAttribute("jarvis.ollama.cold_load", cold);
      if (wrote) {
        span.setAttribute(
            "jarvis.tokens_per_second", outputTokens * 1e9 / timings.generation().toNanos());
      }
    }
  }
}
