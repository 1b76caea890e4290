package dev.jarvis.provider.ollama;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.jarvis.gateway.Timings;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The durations in the last line of an answer of Ollama, and of old or faulty servers. */
class OllamaTimingsTest {
  private static @Nullable Timings of(String line) throws Exception {
    return OllamaTimings.of(new ObjectMapper().readTree(line));
  }

  @Test
  void readsNanoseconds() throws Exception {
    assertThat(
            of(
                """
                {"total_duration":982526479,"load_duration":678513472,
                 "prompt_eval_duration":63222730,"eval_duration":239326478}"""))
        .isEqualTo(
            new Timings(
                Duration.ofNanos(678_513_472),
                Duration.ofNanos(63_222_730),
                Duration.ofNanos(239_326_478)));
  }

  @Test
  void readsAMissingDurationAsZero() throws Exception {
    assertThat(of("{\"load_duration\":5,\"eval_duration\":7}"))
        .isEqualTo(new Timings(Duration.ofNanos(5), Duration.ZERO, Duration.ofNanos(7)));
  }

  @Test
  void returnsNullForAnOldServer() throws Exception {
    assertThat(of("{\"done\":true,\"eval_count\":3}")).isNull();
    assertThat(of("{\"total_duration\":5}")).isNull();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "-1",
        "-9223372036854775808",
        "86400000000001",
        "9223372036854775807",
        "99999999999999999999999",
        "1e300",
        "0.5",
        "\"20ms\"",
        "null",
        "true",
        "[]",
        "{}"
      })
  void ignoresAllDurationsIfOneIsInvalid(String odd) throws Exception {
    for (String field : new String[] {"load_duration", "prompt_eval_duration", "eval_duration"}) {
      String good = "\"load_duration\":1,\"prompt_eval_duration\":2,\"eval_duration\":3";
      String line = "{" + good.replaceFirst("(\"" + field + "\":)\\d", "$1" + odd) + "}";

      assertThat(of(line)).as(line).isNull();
    }
  }
}
