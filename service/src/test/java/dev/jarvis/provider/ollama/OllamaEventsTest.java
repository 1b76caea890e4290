package dev.jarvis.provider.ollama;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.jarvis.gateway.Event;
import dev.jarvis.gateway.FinishReason;
import dev.jarvis.gateway.Timings;
import dev.jarvis.gateway.Usage;
import dev.jarvis.provider.Chats;
import dev.jarvis.provider.ProviderException;
import dev.jarvis.storage.Recorded;
import dev.jarvis.telemetry.Telemetry;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Whole answers of Ollama as events. */
class OllamaEventsTest {
  private final Telemetry telemetry = Recorded.start();

  @AfterEach
  void close() {
    telemetry.close();
  }

  private Chats.Answer of(String json) throws Exception {
    OllamaTelemetry.OfModel model =
        new OllamaTelemetry(telemetry.instruments(), "ollama").of("m:1b");
    return new Chats.Answer(new OllamaEvents(model).of(new ObjectMapper().readTree(json)));
  }

  @Test
  void translatesAPlainAnswer() throws Exception {
    Chats.Answer answer =
        of(
            """
            {"model":"m:1b","created_at":"2026-01-01T00:00:00Z","message":{"role":"assistant","content":"Hello"},
             "done":true,"done_reason":"length","total_duration":9,"load_duration":1,"prompt_eval_count":11,
             "prompt_eval_duration":2,"eval_count":6,"eval_duration":3}""");

    assertThat(answer.events())
        .containsExactly(
            new Event.Text(0, "Hello", null),
            new Event.ChoiceEnd(0, FinishReason.LENGTH, null),
            new Event.UsageReport(Usage.counted(11, 6), null),
            new Event.End(
                new Timings(Duration.ofNanos(1), Duration.ofNanos(2), Duration.ofNanos(3))));
  }

  @Test
  void putsReasoningBeforeTheText() throws Exception {
    assertThat(
            of("{\"message\":{\"content\":\"4\",\"thinking\":\"2 and 2\"},\"done\":true}")
                .events()
                .subList(0, 2))
        .containsExactly(new Event.Reasoning(0, "2 and 2", null), new Event.Text(0, "4", null));
  }

  @Test
  void translatesToolCalls() throws Exception {
    Chats.Answer answer =
        of(
            """
            {"message":{"content":"","tool_calls":[{"function":{"name":"f","arguments":{"x":1}}},
              {"function":{"name":"g","arguments":{}}}]},"done":true,"done_reason":"stop"}""");

    assertThat(answer.of(Event.ToolCall.class))
        .extracting(Event.ToolCall::index)
        .containsExactly(0, 1);
    assertThat(answer.of(Event.ToolCall.class))
        .extracting(Event.ToolCall::name)
        .containsExactly("f", "g");
    assertThat(answer.of(Event.ToolCall.class))
        .extracting(Event.ToolCall::arguments)
        .containsExactly("{\"x\":1}", "{}");
    assertThat(answer.of(Event.ToolCall.class))
        .extracting(Event.ToolCall::id)
        .doesNotHaveDuplicates()
        .allMatch(it -> it != null && it.matches("call_[0-9a-f]{32}"));
    assertThat(answer.reason()).isEqualTo(FinishReason.TOOL_CALLS);
  }

  @Test
  void acceptsTheMissingFieldsOfOldServers() throws Exception {
    Chats.Answer answer = of("{\"message\":{\"content\":\"x\"},\"done\":true}");

    assertThat(answer.reason()).isEqualTo(FinishReason.STOP);
    assertThat(answer.of(Event.UsageReport.class)).as("text cannot take no tokens").isEmpty();
    assertThat(answer.timings()).isNull();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{}",
        "[]",
        "7",
        "{\"message\":{}}",
        "{\"message\":{\"content\":7},\"done\":true}",
        "{\"error\":\"a failure at http://127.0.0.1:1/completion\"}"
      })
  void reportsAnInvalidAnswerAsFailureAfterWork(String json) {
    assertThatThrownBy(() -> of(json))
        .isInstanceOfSatisfying(
            ProviderException.Unavailable.class, e -> assertThat(e.begun()).isTrue())
        .hasMessageNotContaining("127.0.0.1");
  }
}
