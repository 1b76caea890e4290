package dev.jarvis.provider.ollama;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.jarvis.gateway.Settlement;
import dev.jarvis.storage.Recorded;
import dev.jarvis.telemetry.Metric;
import dev.jarvis.telemetry.Telemetry;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.context.Scope;
import io.opentelemetry.sdk.trace.data.SpanData;
import java.time.LocalDate;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Metrics and span attributes of Ollama's answers. */
class OllamaTelemetryTest {
  private static final String MODEL = "m:1b";
  private Telemetry telemetry;
  private OllamaTelemetry ollama;

  @BeforeEach
  void start() {
    telemetry = Recorded.start();
    ollama = new OllamaTelemetry(telemetry.instruments(), "ollama");
    ollama.announce(MODEL);
  }

  @AfterEach
  void close() {
    telemetry.close();
  }

  private static String times(long loadMillis, long generationMillis) {
    return ",\"load_duration\":%d,\"prompt_eval_duration\":50000000,\"eval_duration\":%d"
        .formatted(loadMillis * 1_000_000, generationMillis * 1_000_000);
  }

  private SpanData answer(String times) throws Exception {
    Span span = telemetry.tracer().spanBuilder("chat " + MODEL).startSpan();
    String last =
        """
        {"message":{"content":""},"done":true,"prompt_eval_count":11,"eval_count":6%s}"""
            .formatted(times);
    try (Scope ignored = span.makeCurrent()) {
      new OllamaEvents(ollama.of(MODEL)).of(new ObjectMapper().readTree(last));
    }
    span.end();
    return Recorded.spans("chat " + MODEL).getLast();
  }

  @Test
  void recordsTheServersTimesInSpanAndMetrics() throws Exception {
    SpanData span = answer(times(20, 300));

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
    assertThat(coldLoads(MODEL)).hasValue(0L);
  }

  private static Optional<Long> coldLoads(String label) {
    return Recorded.value(Metric.OLLAMA_COLD_LOADS, label, "ollama");
  }

  @Test
  void countsALongLoadAsCold() throws Exception {
    answer(times(300, 300));
    assertThat(coldLoads(MODEL)).hasValue(0L);

    SpanData span = answer(times(301, 300));
    assertThat(coldLoads(MODEL)).hasValue(1L);
    assertThat(span.getAttributes().get(AttributeKey.booleanKey("jarvis.ollama.cold_load")))
        .isTrue();
  }

  @Test
  void recordsNothingIfTheServerReportsNoTimes() throws Exception {
    SpanData span = answer("");

    assertThat(span.getAttributes().asMap().keySet())
        .extracting(AttributeKey::getKey)
        .noneMatch(it -> it.startsWith("jarvis.ollama") || it.equals("jarvis.tokens_per_second"));
    assertThat(Recorded.value(Metric.OLLAMA_LOAD_DURATION, MODEL, "ollama")).isEmpty();
    assertThat(Recorded.value(Metric.OLLAMA_GENERATED_TOKENS, MODEL, "ollama")).hasValue(0L);
  }

  @Test
  void recordsNoSpeedWithoutAGenerationTime() throws Exception {
    SpanData span = answer(times(20, 0));

    assertThat(span.getAttributes().get(AttributeKey.doubleKey("jarvis.tokens_per_second")))
        .isNull();
    assertThat(Recorded.value(Metric.OLLAMA_GENERATION_DURATION, MODEL, "ollama")).isEmpty();
  }

  @Test
  void showsNoSeriesForOtherProviders() {
    new Settlement(
            telemetry.instruments(),
            (target, at, usage, compute) -> Optional.empty(),
            label -> label,
            it -> LocalDate.EPOCH,
            use -> {})
        .announce("elsewhere", "local");

    assertThat(coldLoads("elsewhere")).isEmpty();
    assertThat(coldLoads(MODEL)).hasValue(0L);
  }
}
