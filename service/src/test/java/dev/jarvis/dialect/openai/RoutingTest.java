package dev.jarvis.dialect.openai;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import dev.jarvis.TestService;
import dev.jarvis.provider.ollama.FakeOllama;
import java.net.http.HttpResponse;
import java.time.Duration;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Routes over two model servers, as a client sees them. */
@Timeout(60)
class RoutingTest {
  /** FIPS 180-2's example: the key "abc". */
  private static final String SHA256_OF_ABC =
      "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

  private static final FakeOllama SECOND = FakeOllama.start();
  private static TestService service;

  @BeforeAll
  static void start() throws Exception {
    SECOND.listModels("second:1b");
    service =
        TestService.startWith(
                """
        providers:
          second:
            type: ollama
            url: %1$s
          hasty:
            type: ollama
            url: %1$s
            first-token-timeout: 500ms
            answer-timeout: 500ms
        routes:
          - name: chat
            targets:
              - {provider: ollama, model: "fake:1b", priority: 1}
              - {provider: second, model: "second:1b", priority: 2}
          - name: gpt-4.1
            targets: [{provider: second, model: "second:1b"}]
          - name: in-a-hurry
            targets: [{provider: hasty, model: "second:1b"}]
        api-keys: "alice:%2$s"
        prices:
          - {provider: second, model: "second:1b", input: 0.5, output: 1.5}
        """
                    .formatted(SECOND.uri(), SHA256_OF_ABC))
            .awaitModel("second:1b");
  }

  @AfterAll
  static void stop() {
    service.close();
    SECOND.close();
  }

  @AfterEach
  void reset() {
    service.ollama().reset();
    SecondOllama.reset(SECOND);
  }

  @Test
  void onlyTheAdministratorSeesPricesAndLoad() {
    HttpResponse<String> refused =
        service.post("/v1/routing/explain", "{\"model\":\"chat\"}", "Authorization", "Bearer abc");

    assertThat(refused.statusCode()).isEqualTo(403);
    assertThat(TestService.json(refused.body()).at("/error/code").asText()).isEqualTo("forbidden");
    assertThat(refused.body()).doesNotContain("second", "usd");
    assertThat(service.get("/v1/models", "Authorization", "Bearer abc").statusCode())
        .as("the key is a good one")
        .isEqualTo(200);
  }

  private static HttpResponse<String> ask(String model, boolean stream) {
    return service.chat(
        "{\"model\":\"%s\",\"stream\":%s,\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}"
            .formatted(model, stream));
  }

  private static String header(HttpResponse<?> response, String name) {
    return response.headers().firstValue(name).orElse("");
  }

  private static JsonNode explain(String model) {
    HttpResponse<String> response =
        service.post("/v1/routing/explain", "{\"model\":\"%s\"}".formatted(model));
    assertThat(response.statusCode()).isEqualTo(200);
    return TestService.json(response.body());
  }

  @Test
  void theAnswersHeadersNameTheTarget() {
    for (boolean stream : new boolean[] {false, true}) {
      HttpResponse<String> response = ask("chat", stream);

      assertThat(response.statusCode()).isEqualTo(200);
      assertThat(header(response, "x-jarvis-model")).isEqualTo("fake:1b");
      assertThat(header(response, "x-jarvis-provider")).isEqualTo("ollama");
      assertThat(header(response, "x-jarvis-route")).isEqualTo("chat");
      assertThat(header(response, "x-request-id")).isNotEmpty();
    }
    assertThat(TestService.json(ask("chat", false).body()).path("model").asText())
        .isEqualTo("chat");
    assertThat(header(ask("gpt-4.1", false), "x-jarvis-model")).isEqualTo("second:1b");
  }

  @Test
  void aServerThatFailsIsReplacedBeforeTheFirstByte() {
    String fallbacks =
        "llm_fallbacks_total{model=\"fake:1b\",provider=\"ollama\",reason=\"unavailable\"}";
    double before = service.metric(fallbacks);
    double errors =
        service.metric(
            "llm_requests_total{model=\"fake:1b\",outcome=\"error\",provider=\"ollama\"}");
    service.ollama().failWith(500);

    HttpResponse<String> response = ask("chat", true);

    assertThat(response.statusCode()).isEqualTo(200);
    assertThat(response.body()).contains("[DONE]");
    assertThat(header(response, "x-jarvis-provider")).isEqualTo("second");
    assertThat(service.metric(fallbacks)).isEqualTo(before + 1);
    assertThat(
            service.metric(
                "llm_requests_total{model=\"fake:1b\",outcome=\"error\",provider=\"ollama\"}"))
        .as("the request itself did not fail")
        .isEqualTo(errors);
  }

  @Test
  void aRefusedRequestHasNoFallback() {
    service.ollama().failWith(400, "the context is too long");

    HttpResponse<String> response = ask("chat", false);

    assertThat(response.statusCode()).isEqualTo(400);
    assertThat(response.body()).contains("the context is too long");
    assertThat(SECOND.requests()).isZero();
  }

  @Test
  void afterTheFirstByteThereIsNoFallback() {
    service.ollama().breakMidStream();

    HttpResponse<String> response = ask("chat", true);

    assertThat(response.body()).containsSubsequence("data: {\"error\":", "data: [DONE]");
    assertThat(SECOND.requests()).isZero();
  }

  @Test
  void aBusyServerIsRetriedAfterItsRetryAfter() {
    SECOND.failTimes(1, 429, 1);
    long start = System.nanoTime();

    HttpResponse<String> response = ask("gpt-4.1", false);

    assertThat(response.statusCode()).isEqualTo(200);
    assertThat(SECOND.requests()).isEqualTo(2);
    assertThat(Duration.ofNanos(System.nanoTime() - start)).isGreaterThan(Duration.ofMillis(990));
  }

  @Test
  void aLongRetryAfterIsNotHonoured() {
    SECOND.failTimes(1, 429, 3600);

    HttpResponse<String> response = ask("gpt-4.1", false);

    assertThat(response.statusCode()).isEqualTo(429);
    assertThat(SECOND.requests()).isEqualTo(1);
  }

  @Test
  void aSlowServerIsATimeout() {
    SECOND.stallBeforeFirstPiece();

    assertThat(ask("in-a-hurry", true).statusCode()).as("no first token").isEqualTo(504);
    assertThat(ask("in-a-hurry", false).statusCode()).as("no whole answer").isEqualTo(504);
  }

  @Test
  void theDecisionIsExplainedWithoutCallingAModel() {
    JsonNode decision = explain("chat");

    assertThat(decision.path("route").asText()).isEqualTo("chat");
    assertThat(decision.path("strategy").asText()).isEqualTo("priority");
    JsonNode first = decision.path("targets").path(0);
    assertThat(first.path("provider").asText()).isEqualTo("ollama");
    assertThat(first.path("chosen").asBoolean()).isTrue();
    assertThat(first.path("reason").asText()).isEqualTo("priority");
    assertThat(first.path("order").asInt()).isEqualTo(1);
    JsonNode second = decision.path("targets").path(1);
    assertThat(second.path("reason").asText()).isEqualTo("fallback");
    assertThat(second.path("usd_per_million_tokens").asDouble()).isEqualTo(2);
    assertThat(service.ollama().requests() + SECOND.requests()).isZero();
    assertThat(service.post("/v1/routing/explain", "{\"model\":\"junk\"}").statusCode())
        .isEqualTo(404);
    assertThat(service.post("/v1/routing/explain", "{}").statusCode()).isEqualTo(400);
  }

  @Test
  void answersArePricedAndUnpricedOnesAreCounted() {
    String labels = "{model=\"second:1b\",provider=\"second\"}";
    double cost = service.metric("llm_cost_usd_total" + labels);
    double unpriced =
        service.metric("llm_unpriced_requests_total{model=\"fake:1b\",provider=\"ollama\"}");

    ask("gpt-4.1", true);
    ask("chat", false);

    double each = (SECOND.inputTokens() * 0.5 + SECOND.outputTokens() * 1.5) / 1e6;
    assertThat(service.metric("llm_cost_usd_total" + labels)).isEqualTo(cost + each, within(1e-12));
    assertThat(service.metric("llm_unpriced_requests_total" + labels)).isZero();
    assertThat(service.metric("llm_unpriced_requests_total{model=\"fake:1b\",provider=\"ollama\"}"))
        .isEqualTo(unpriced + 1);
  }

  @Test
  void routesAreModelsToTheirClients() {
    JsonNode models = TestService.json(service.get("/v1/models").body()).path("data");

    assertThat(models.findValuesAsText("id"))
        .contains("chat", "gpt-4.1", "fake:1b", "second:1b")
        .doesNotHaveDuplicates();
    assertThat(service.get("/v1/models/chat").statusCode()).isEqualTo(200);
  }

  @Test
  void junkNamesAddNoSeries() {
    String before = series();
    for (int i = 0; i < 50; i++) {
      assertThat(ask("junk" + i, false).statusCode()).isEqualTo(404);
    }
    assertThat(series()).isEqualTo(before).doesNotContain("junk");
  }

  private static String series() {
    ask("junk", false); // its own series exist from now on
    return service
        .get("/metrics")
        .body()
        .lines()
        .filter(it -> it.startsWith("llm_"))
        .map(it -> it.substring(0, it.lastIndexOf(' ')))
        .toList()
        .toString();
  }
}
