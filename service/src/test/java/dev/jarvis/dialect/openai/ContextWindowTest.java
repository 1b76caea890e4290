package dev.jarvis.dialect.openai;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import dev.jarvis.TestService;
import dev.jarvis.provider.ollama.FakeOllama;
import java.net.http.HttpResponse;
import java.time.Duration;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Prompts that are longer than a model's context window, as a client sees them. */
@Timeout(120)
class ContextWindowTest {
  private static final String LONG = "word ".repeat(8000);
  private static final String CUT = "prompt: 2048 of about 10000 tokens";
  private static final String TRUNCATED =
      "llm_truncated_prompts_total{model=\"small:1b\",provider=\"small\"}";

  private static final FakeOllama SMALL = FakeOllama.start();
  private static final FakeOllama LARGE = FakeOllama.start();
  private static TestService service;

  @BeforeAll
  static void start() throws Exception {
    reset();
    SMALL.showModels(shown(8192, "num_ctx 2048"));
    LARGE.showModels(shown(32768, "num_ctx 16384"));
    service =
        TestService.startWith(
                """
                providers:
                  small: {type: ollama, url: "%s"}
                  large: {type: ollama, url: "%s"}
                routes:
                  - {name: told, cache: shared, targets: [{provider: small, model: "small:1b"}]}
                  - {name: strict, context: refuse, targets: [{provider: small, model: "small:1b"}]}
                  - name: roomy
                    context: fit
                    targets:
                      - {provider: small, model: "small:1b", priority: 1}
                      - {provider: large, model: "large:1b", priority: 2}
                """
                    .formatted(SMALL.uri(), LARGE.uri()))
            .awaitModel("small:1b")
            .awaitModel("large:1b");
    await()
        .atMost(Duration.ofSeconds(20))
        .until(() -> explain("roomy", "hi").at("/1/context_window").asInt() == 16384);
    await()
        .atMost(Duration.ofSeconds(20))
        .until(() -> explain("roomy", "hi").at("/0/context_window").asInt() == 2048);
  }

  private static String shown(int trained, String parameters) {
    return """
        {"parameters": "%s", "model_info": {"general.architecture": "a", "a.context_length": %d}}"""
        .formatted(parameters, trained);
  }

  @AfterAll
  static void stop() {
    service.close();
    SMALL.close();
    LARGE.close();
  }

  @BeforeEach
  void resetServers() {
    reset();
  }

  private static void reset() {
    SMALL.reset();
    SMALL.listModels("small:1b");
    LARGE.reset();
    LARGE.listModels("large:1b");
  }

  private static HttpResponse<String> ask(String model, String text, String fields) {
    return service.chat(body(model, text, fields));
  }

  private static String body(String model, String text, String fields) {
    return """
        {"model": "%s", "messages": [{"role": "user", "content": "%s"}]%s}"""
        .formatted(model, text, fields);
  }

  private static String header(HttpResponse<?> response, String name) {
    return response.headers().firstValue(name).orElse("");
  }

  private static JsonNode explain(String model, String text) {
    HttpResponse<String> response = service.post("/v1/routing/explain", body(model, text, ""));
    return TestService.json(response.body()).path("targets");
  }

  @Test
  void aWholeAnswerTellsThatThePromptWasCut() {
    SMALL.countPrompt(2048);
    double before = service.metric(TRUNCATED);

    HttpResponse<String> answer = ask("small:1b", LONG, "");

    assertThat(answer.statusCode()).isEqualTo(200);
    assertThat(header(answer, "x-jarvis-truncated")).isEqualTo(CUT);
    assertThat(service.metric(TRUNCATED)).isEqualTo(before + 1);
  }

  @Test
  void aStreamTellsItAtItsEnd() {
    SMALL.countPrompt(2048);

    String events =
        ask("small:1b", LONG, ", \"stream\": true, \"stream_options\": {\"include_usage\": true}")
            .body();

    assertThat(events).contains(": jarvis {\"truncated\":\"" + CUT + "\"}").contains("[DONE]");
    assertThat(events).contains("\"jarvis\":{\"truncated\":\"" + CUT + "\"}");
  }

  @Test
  void aPromptThatFitsIsNotNoted() {
    double before = service.metric(TRUNCATED);

    HttpResponse<String> whole = ask("small:1b", "hi", ", \"max_tokens\": 100000");
    HttpResponse<String> stream = ask("small:1b", "hi", ", \"stream\": true");

    assertThat(whole.statusCode()).as("the answer may be cut, not the prompt").isEqualTo(200);
    assertThat(header(whole, "x-jarvis-truncated")).isEmpty();
    assertThat(stream.body()).doesNotContain("jarvis");
    assertThat(service.metric(TRUNCATED)).isEqualTo(before);
    assertThat(service.get("/metrics").body())
        .as("known models begin at 0")
        .contains("llm_truncated_prompts_total{model=\"large:1b\",provider=\"large\"} 0");
  }

  @Test
  void aCachedAnswerTellsItAgain() {
    SMALL.countPrompt(2048);
    ask("told", LONG, ", \"temperature\": 0");

    HttpResponse<String> again = ask("told", LONG, ", \"temperature\": 0");

    assertThat(header(again, "x-jarvis-cache")).isEqualTo("hit");
    assertThat(header(again, "x-jarvis-truncated")).isEqualTo(CUT);
    assertThat(SMALL.requests()).isEqualTo(1);
  }

  @Test
  void aStrictRouteRefusesItBeforeAnyModelWorks() {
    HttpResponse<String> refused = ask("strict", LONG, "");

    assertThat(refused.statusCode()).isEqualTo(400);
    JsonNode error = TestService.json(refused.body()).path("error");
    assertThat(error.path("code").asText()).isEqualTo("context_length_exceeded");
    assertThat(error.path("param").asText()).isEqualTo("messages");
    assertThat(error.path("message").asText())
        .startsWith(
            "The prompt has at least 8000 tokens (estimated); the context window of 'small:1b' at small has 2048.");
    assertThat(SMALL.requests()).isZero();
    assertThat(ask("strict", "hi", "").statusCode()).isEqualTo(200);
    assertThat(SMALL.lastBody()).contains("\"truncate\":false");
  }

  @Test
  void aLargerWindowCanBeAskedFor() {
    SMALL.countPrompt(8050);

    HttpResponse<String> answer = ask("strict", LONG, ", \"num_ctx\": 8192");

    assertThat(answer.statusCode()).isEqualTo(200);
    assertThat(header(answer, "x-jarvis-truncated")).isEmpty();
    assertThat(header(answer, "x-jarvis-ignored")).isEmpty();
    assertThat(TestService.json(SMALL.lastBody()).at("/options/num_ctx").asInt()).isEqualTo(8192);
  }

  @Test
  void aRouteSendsItToTheTargetThatItFits() {
    assertThat(header(ask("roomy", LONG, ""), "x-jarvis-model")).isEqualTo("large:1b");
    assertThat(header(ask("roomy", "hi", ""), "x-jarvis-model")).isEqualTo("small:1b");
    assertThat(ask("roomy", "word ".repeat(20_000), "").statusCode()).isEqualTo(400);

    JsonNode targets = explain("roomy", LONG);
    assertThat(targets.at("/0/model").asText()).isEqualTo("large:1b");
    assertThat(targets.at("/1/reason").asText()).isEqualTo("context_exceeded");
    assertThat(targets.at("/1/order").isNull()).isTrue();
  }

  @Test
  void aRouteAsksTheNextTargetIfTheServerRefusesIt() {
    SMALL.failWith(400, "the input length exceeds the context length");

    assertThat(header(ask("roomy", "hi", ""), "x-jarvis-model")).isEqualTo("large:1b");
    HttpResponse<String> refused = ask("strict", "hi", "");
    assertThat(refused.statusCode()).isEqualTo(400);
    assertThat(TestService.json(refused.body()).at("/error/code").asText())
        .isEqualTo("context_length_exceeded");
  }

  @Test
  void badValuesOfOllamasFieldsAreRefused() {
    for (String field :
        new String[] {
          "\"num_ctx\": \"8k\"",
          "\"num_ctx\": 0",
          "\"num_ctx\": 9000",
          "\"keep_alive\": -1",
          "\"keep_alive\": true",
          "\"think\": 1",
          "\"top_k\": 1.5"
        }) {
      HttpResponse<String> refused = ask("small:1b", "hi", ", " + field);

      assertThat(refused.statusCode()).as(field).isEqualTo(400);
      String name = field.substring(1, field.indexOf('"', 1));
      assertThat(TestService.json(refused.body()).at("/error/param").asText()).isEqualTo(name);
    }
    assertThat(SMALL.requests()).isZero();
  }
}
