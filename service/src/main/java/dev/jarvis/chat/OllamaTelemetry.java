package dev.jarvis.chat;

import dev.jarvis.model.ChatStream.Timings;
import dev.jarvis.model.ChatStream.Usage;
import dev.jarvis.telemetry.Instruments;
import dev.jarvis.telemetry.Metric;
import io.opentelemetry.api.trace.Span;
import java.time.Duration;

/** What Ollama's own clock says of a whole answer: the {@code ollama_*} metrics and attributes. */
final class OllamaTelemetry {
  /**
   * A load that takes longer was a real one. For a model in memory Ollama 0.11 takes 9 to 25 ms,
   * and below 230 ms if 16 ask at once; a load waits for a new process in steps of 250 ms and took
   * 360 ms at least, for the smallest model with its file in the page cache.
   */
  static final Duration COLD_LOAD = Duration.ofMillis(300);

  private OllamaTelemetry() {}

  /** To be called in the span's scope, so that the histograms keep it as exemplar. */
  static void record(
      Instruments instruments, String model, String provider, Timings timings, Usage usage) {
    instruments.record(Metric.OLLAMA_LOAD_DURATION, timings.load(), model, provider);
    instruments.record(Metric.OLLAMA_PROMPT_DURATION, timings.prompt(), model, provider);
    if (timings.generation().isPositive()) { // embeddings write nothing
      instruments.record(Metric.OLLAMA_GENERATION_DURATION, timings.generation(), model, provider);
    }
    instruments.add(Metric.OLLAMA_GENERATED_TOKENS, usage.outputTokens(), model, provider);
    instruments.add(Metric.OLLAMA_COLD_LOADS, isCold(timings) ? 1 : 0, model, provider);
  }

  static void tell(Span span, Timings timings, Usage usage) {
    span.setAttribute("jarvis.ollama.load_duration_ms", timings.load().toMillis());
    span.setAttribute("jarvis.ollama.prompt_duration_ms", timings.prompt().toMillis());
    span.setAttribute("jarvis.ollama.generation_duration_ms", timings.generation().toMillis());
    span.setAttribute("jarvis.ollama.cold_load", isCold(timings));
    if (timings.generation().isPositive()) {
      span.setAttribute(
          "jarvis.tokens_per_second", usage.outputTokens() * 1e9 / timings.generation().toNanos());
    }
  }

  /** Lets a model's counters show at 0. */
  static void announce(Instruments instruments, String model, String provider) {
    instruments.add(Metric.OLLAMA_GENERATED_TOKENS, 0, model, provider);
    instruments.add(Metric.OLLAMA_COLD_LOADS, 0, model, provider);
  }

  private static boolean isCold(Timings timings) {
    return timings.load().compareTo(COLD_LOAD) > 0;
  }
}
