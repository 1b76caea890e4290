package dev.jarvis.provider.ollama;

import dev.jarvis.gateway.Timings;
import dev.jarvis.telemetry.Instruments;
import dev.jarvis.telemetry.Metric;
import io.opentelemetry.api.trace.Span;
import java.time.Duration;

/** What an Ollama server's own clock reports of its answers: {@code ollama_*} and attributes. */
record OllamaTelemetry(Instruments instruments, String provider) {
  /**
   * A load that takes longer was a real one. For a model in memory Ollama 0.11 takes 9 to 25 ms,
   * and below 230 ms if 16 ask at once; a load waits for a new process in steps of 250 ms and took
   * 360 ms at least, for the smallest model with its file in the page cache.
   */
  static final Duration COLD_LOAD = Duration.ofMillis(300);

  /** Lets a model's counters show at 0. */
  void announce(String label) {
    instruments.add(Metric.OLLAMA_GENERATED_TOKENS, 0, label, provider);
    instruments.add(Metric.OLLAMA_COLD_LOADS, 0, label, provider);
  }

  OfModel of(String label) {
    return new OfModel(label);
  }

  /** For one answer of a model. */
  final class OfModel {
    private final String label;

    private OfModel(String label) {
      this.label = label;
    }

    /** To be called within the attempt's span. */
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
