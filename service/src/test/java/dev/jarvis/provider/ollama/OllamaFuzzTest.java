package dev.jarvis.provider.ollama;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.jarvis.fuzz.Fuzz;
import dev.jarvis.fuzz.Streams;
import dev.jarvis.gateway.Event;
import dev.jarvis.json.SharedBuffers;
import dev.jarvis.provider.Chats;
import dev.jarvis.provider.EventSource;
import dev.jarvis.provider.ProviderException;
import dev.jarvis.storage.Recorded;
import dev.jarvis.telemetry.Telemetry;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Mutated answers of Ollama. */
@Timeout(600)
class OllamaFuzzTest {
  private static final Duration LIMIT = Duration.ofMinutes(1);
  private static final ObjectMapper JSON = SharedBuffers.mapper();
  private static final String TEXT = "Grüße, 模型 🎉\n\u0000 \\ \" </s>";

  private static final String LAST =
      """
      {"model":"m","message":{"role":"assistant","content":"!","thinking":"hm","tool_calls":[{"function":{"name":"f","arguments":{"a":[1]}}}]},"done":true,"done_reason":"stop","total_duration":9000000,"load_duration":1000000,"prompt_eval_count":11,"prompt_eval_duration":2000000,"eval_count":6,"eval_duration":3000000}
      """;
  private static final String STREAM =
      """
      {"model":"m","created_at":"2026-01-01T00:00:00Z","message":{"role":"assistant","content":"Grüße 🎉"},"done":false}
      {"model":"m","message":{"role":"assistant","content":"","thinking":"hm"},"done":false}
      """
          + LAST;
  private static final String ERROR = "{\"error\":\"no\"}\n";

  private final Telemetry telemetry = Recorded.start();
  private final OllamaTelemetry.OfModel model =
      new OllamaTelemetry(telemetry.instruments(), "ollama").of("m:1b");

  @AfterEach
  void close() {
    telemetry.close();
  }

  private EventSource stream(InputStream body) {
    return new OllamaStream(body, LIMIT, LIMIT, new OllamaEvents(model));
  }

  @Test
  void streamsFailAsTheyMay() {
    Fuzz.run(List.of(STREAM, ERROR), (input, random) -> Streams.check(input, random, this::stream));
  }

  @Test
  void wholeAnswersFailAsTheyMay() {
    Fuzz.run(
        List.of(LAST, ERROR),
        (input, random) -> {
          try {
            List<Event> events =
                new OllamaEvents(model)
                    .ofAnswer(Chats.wholeAnswer(input), Chats.request("m", "hi"));
            assertThat(events.getLast()).isInstanceOf(Event.End.class);
          } catch (IOException | ProviderException e) {
            // an invalid answer
          }
        });
  }

  @ParameterizedTest
  @ValueSource(strings = {"%s\n", "%s\r\n", " %s \n"})
  void aTextSurvivesEveryFormAndSplit(String form) throws Exception {
    StringBuilder body = new StringBuilder();
    for (String piece : TEXT.split("(?<=\\G.{3})", -1)) {
      var line = JSON.createObjectNode();
      line.putObject("message").put("content", piece);
      body.append(form.formatted(JSON.writeValueAsString(line)));
    }
    body.append(form.formatted("{\"message\":{\"content\":\"\"},\"done\":true}"));
    byte[] bytes = body.toString().getBytes(StandardCharsets.UTF_8);

    Streams.checkText(bytes, TEXT, this::stream);
  }
}
