package dev.jarvis.provider.ollama;

import com.fasterxml.jackson.databind.JsonNode;
import dev.jarvis.gateway.Timings;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** The durations in the last line of Ollama's answer, as far as they can be believed. */
final class OllamaTimings {
  /** No answer takes as long: what says so is broken. */
  private static final long LIMIT_NANOS = Duration.ofDays(1).toNanos();

  private OllamaTimings() {}

  /**
   * Null if the line has none, as from servers that only speak Ollama's language, or has an odd
   * one: a wrong number in a histogram stays there.
   */
  static @Nullable Timings of(JsonNode line) {
    JsonNode load = line.path("load_duration");
    JsonNode prompt = line.path("prompt_eval_duration");
    JsonNode generation = line.path("eval_duration");
    if (load.isMissingNode() && prompt.isMissingNode() && generation.isMissingNode()) {
      return null;
    }
    if (!believable(load) || !believable(prompt) || !believable(generation)) {
      return null;
    }
    return new Timings(
        Duration.ofNanos(load.asLong()),
        Duration.ofNanos(prompt.asLong()),
        Duration.ofNanos(generation.asLong()));
  }

  /** Ollama leaves a duration of 0 out. */
  private static boolean believable(JsonNode nanos) {
    return nanos.isMissingNode()
        || (nanos.isIntegralNumber()
            && nanos.canConvertToLong()
            && nanos.longValue() >= 0
            && nanos.longValue() <= LIMIT_NANOS);
  }
}
