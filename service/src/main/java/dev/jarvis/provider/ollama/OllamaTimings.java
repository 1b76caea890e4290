package dev.jarvis.provider.ollama;

import com.fasterxml.jackson.databind.JsonNode;
import dev.jarvis.gateway.Timings;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** Reads the durations in the last line of an answer of Ollama, if they are plausible. */
final class OllamaTimings {
  /** A longer duration must be an error. */
  private static final long LIMIT_NANOS = Duration.ofDays(1).toNanos();

  private OllamaTimings() {}

  /**
   * Null if the line has no durations, as from other servers with Ollama's API, or if one of them
   * is implausible, because a wrong value in a histogram cannot be removed.
   */
  static @Nullable Timings of(JsonNode line) {
    JsonNode load = line.path("load_duration");
    JsonNode prompt = line.path("prompt_eval_duration");
    JsonNode generation = line.path("eval_duration");
    if (load.isMissingNode() && prompt.isMissingNode() && generation.isMissingNode()) {
      return null;
    }
    if (!plausible(load) || !plausible(prompt) || !plausible(generation)) {
      return null;
    }
    return new Timings(
        Duration.ofNanos(load.asLong()),
        Duration.ofNanos(prompt.asLong()),
        Duration.ofNanos(generation.asLong()));
  }

  /** Ollama omits a duration of 0. */
  private static boolean plausible(JsonNode nanos) {
    return nanos.isMissingNode()
        || (nanos.isIntegralNumber()
            && nanos.canConvertToLong()
            && nanos.longValue() >= 0
            && nanos.longValue() <= LIMIT_NANOS);
  }
}
