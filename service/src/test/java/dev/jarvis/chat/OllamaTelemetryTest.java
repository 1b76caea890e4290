package dev.jarvis.chat;

import static org.assertj.core.api.Assertions.assertThat;

import dev.jarvis.model.ChatStream.Reason;
import dev.jarvis.model.ChatStream.Timings;
import dev.jarvis.model.ChatStream.Usage;
import dev.jarvis.storage.Recorded;
import dev.jarvis.telemetry.Metric;
import dev.jarvis.telemetry.Telemetry;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.sdk.trace.data.SpanData;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class OllamaTelemetryTest {
  private static final String MODEL = "m:1b";

  private Telemetry telemetry;

  @BeforeEach
  void start() {
    telemetry = Recorded.start();
    OllamaTelemetry.announce(telemetry.instruments(), MODEL, "ollama");
  }

  @AfterEach
  void close() {
    telemetry.close();
  }

  private SpanData answer(@Nullable Timings timings) {
    Usage usage = new Usage(11, 6);
    new GenerationTelemetry(telemetry, "chat", MODEL, MODEL, "ollama", System.nanoTime())
        .end(Outcome.OK, usage, null, Duration.ofMillis(400), timings, Reason.STOP, null);
    return Recorded.spans("chat " + MODEL).getLast();
  }

  private static Timings loadedIn(long millis) {
    return new Timings(Duration.ofMillis(millis), Duration.ofMillis(50), Duration.ofMillis(300));
  }

  @Test
  void theServersTimesAreOnTheSpanAndInTheMetrics() {
    SpanData span = answer(loadedIn(20));

    assertThat(span.getAttributes().asMap())
        .containsEntry(AttributeKey.longKey("jarvis.ollama.load_duration_ms"), 20L)
        .containsEntry(AttributeKey.longKey("jarvis.ollama.prompt_duration_ms"), 50L)
        .containsEntry(AttributeKey.longKey("jarvis.ollama.generation_duration_ms"), 300L)
        .containsEntry(AttributeKey.booleanKey("jarvis.ollama.cold_load"), false)
        .containsEntry(AttributeKey.doubleKey("jarvis.tokens_per_second"), 20.0);
    assertThat(Recorded.value(Metric.OLLAMA_LOAD_DURATION, MODEL, "ollama")).hasValue(1L);
    assertThat(Recorded.value(Metric.OLLAMA_PROMPT_DURATION, MODEL, "ollama")).hasValue(1L);
    assertThat(Recorded.value(Metric.OLLAMA_GENERATION_DURATION, MODEL, "ollama")).hasValue(1L);
    assertThat(Recorded.value(Metric.OLLAMA_GENERATED_TOKENS, MODEL, "ollama")).hasValue(6L);
    assertThat(Recorded.value(Metric.OLLAMA_COLD_LOADS, MODEL, "ollama")).hasValue(0L);
  }

  @Test
  void aLoadIsColdAboveTheLimit() {
    answer(loadedIn(300));
    assertThat(Recorded.value(Metric.OLLAMA_COLD_LOADS, MODEL, "ollama")).hasValue(0L);

    SpanData span = answer(loadedIn(301));
    assertThat(Recorded.value(Metric.OLLAMA_COLD_LOADS, MODEL, "ollama")).hasValue(1L);
    assertThat(span.getAttributes().get(AttributeKey.booleanKey("jarvis.ollama.cold_load")))
        .isTrue();
  }

  @Test
  void aServerThatTellsNoTimesLeavesNone() {
    SpanData span = answer(null);

    assertThat(span.getAttributes().asMap().keySet())
        .extracting(AttributeKey::getKey)
        .noneMatch(it -> it.startsWith("jarvis.ollama") || it.equals("jarvis.tokens_per_second"));
    assertThat(Recorded.value(Metric.OLLAMA_LOAD_DURATION, MODEL, "ollama")).isEmpty();
    assertThat(Recorded.value(Metric.OLLAMA_GENERATED_TOKENS, MODEL, "ollama")).hasValue(0L);
  }

  @Test
  void noTimeForTheGenerationIsNoSpeed() {
    SpanData span =
        answer(new Timings(Duration.ofMillis(20), Duration.ofMillis(50), Duration.ZERO));

    assertThat(span.getAttributes().get(AttributeKey.doubleKey("jarvis.tokens_per_second")))
        .isNull();
  }

  @Test
  void otherProvidersShowNoneOfIt() {
    GenerationTelemetry.announce(telemetry.instruments(), "elsewhere", "local");

    assertThat(Recorded.value(Metric.OLLAMA_COLD_LOADS, "elsewhere", "ollama")).isEmpty();
    assertThat(Recorded.value(Metric.OLLAMA_COLD_LOADS, MODEL, "ollama")).hasValue(0L);
  }
}
