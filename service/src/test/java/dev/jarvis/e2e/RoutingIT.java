package dev.jarvis.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Routes over two models of a real Ollama: {@code stack/native/e2e.yaml}. */
class RoutingIT {
  private static final Duration LIMIT = Duration.ofSeconds(90);
  private static final String SMOLLM = "smollm2:135m";
  private static final String OTHER = "smollm2:other";

  @BeforeAll
  static void bothModelsAreListed() {
    await()
        .atMost(LIMIT)
        .until(
            () ->
                get("/v1/models").body().contains(SMOLLM)
                    && get("/v1/models").body().contains(OTHER));
    for (String model : List.of(SMOLLM, OTHER)) {
      assertThat(ask(model, "\"max_tokens\": 4").statusCode()).isEqualTo(200);
    }
  }

  private static HttpResponse<String> get(String path) {
    return Stack.send(Stack.api(path).GET().build());
  }

  private static HttpRequest post(String path, String body, String... headers) {
    HttpRequest.Builder request = Stack.api(path).POST(HttpRequest.BodyPublishers.ofString(body));
    return headers.length == 0 ? request.build() : request.headers(headers).build();
  }

  private static String chat(String model, String question, String fields) {
    return """
        {"model": "%s", "messages": [{"role": "user", "content": "%s"}], %s}"""
        .formatted(model, question, fields);
  }

  private static HttpResponse<String> ask(String model, String fields, String... headers) {
    return Stack.send(post("/v1/chat/completions", chat(model, "Say hello.", fields), headers));
  }

  private static HttpResponse<String> ask(String model) {
    return ask(model, "\"max_tokens\": 8");
  }

  private static String header(HttpResponse<?> response, String name) {
    assertThat(response.statusCode()).as(String.valueOf(response.body())).isEqualTo(200);
    return response.headers().firstValue(name).orElse("");
  }

  private static JsonNode explain(String model) {
    HttpResponse<String> response =
        Stack.send(post("/v1/routing/explain", "{\"model\": \"%s\"}".formatted(model)));
    assertThat(response.statusCode()).isEqualTo(200);
    return Stack.json(response.body()).path("targets");
  }

  @Test
  void priority() {
    HttpResponse<String> answer = ask("by-priority");

    assertThat(header(answer, "x-jarvis-model")).isEqualTo(SMOLLM);
    assertThat(header(answer, "x-jarvis-provider")).isEqualTo("ollama");
    assertThat(header(answer, "x-jarvis-route")).isEqualTo("by-priority");
    assertThat(explain("by-priority").at("/0/reason").asText()).isEqualTo("priority");
  }

  @Test
  void weight() {
    int other = 0;
    for (int i = 0; i < 100; i++) {
      other += explain("by-weight").at("/0/model").asText().equals(OTHER) ? 1 : 0;
    }

    // expected are 75; five standard deviations (4.3 each) are exceeded once in a million runs
    assertThat(other).isBetween(53, 97);
    assertThat(ask("by-weight").statusCode()).isEqualTo(200);
  }

  @Test
  void cost() {
    assertThat(header(ask("by-cost"), "x-jarvis-model")).isEqualTo(OTHER);
    assertThat(explain("by-cost").at("/0/reason").asText()).isEqualTo("lowest_cost");
    assertThat(explain("by-cost").at("/0/usd_per_million_tokens").asDouble())
        .isLessThan(explain("by-cost").at("/1/usd_per_million_tokens").asDouble());
  }

  @Test
  void latency() {
    JsonNode targets = explain("by-latency");

    assertThat(targets.at("/0/time_to_first_token_ms").isNumber()).isTrue();
    assertThat(targets.at("/0/time_to_first_token_ms").asLong())
        .isLessThanOrEqualTo(targets.at("/1/time_to_first_token_ms").asLong());
    assertThat(header(ask("by-latency"), "x-jarvis-route")).isEqualTo("by-latency");
  }

  @Test
  void leastBusyAndAClientThatDisconnectsMidStream() throws Exception {
    String aborted =
        "llm_requests_total{model=\"%s\",outcome=\"aborted\",provider=\"ollama\"}"
            .formatted(SMOLLM);
    double before = Stack.metric(aborted);
    String body = // at temperature 0 the model repeats itself without end
        chat(SMOLLM, "Write a poem with a hundred verses.", "\"temperature\": 0, \"stream\": true");
    try (HttpClient own = HttpClient.newHttpClient()) {
      HttpResponse<InputStream> stream =
          own.send(post("/v1/chat/completions", body), HttpResponse.BodyHandlers.ofInputStream());
      assertThat(stream.statusCode()).as(stream.toString()).isEqualTo(200);
      try (InputStream in = stream.body()) {
        assertThat(new String(in.readNBytes(6), StandardCharsets.UTF_8)).isEqualTo("data: ");
        JsonNode targets = explain("by-load");
        assertThat(targets.at("/0/model").asText()).isEqualTo(OTHER);
        assertThat(targets.at("/0/busy").asInt()).isZero();
        assertThat(targets.at("/1/busy").asInt()).isEqualTo(1);
      }
      own.shutdownNow();
    }

    await().atMost(Duration.ofSeconds(5)).until(() -> Stack.metric(aborted) == before + 1);
    await().atMost(LIMIT).until(() -> explain("by-load").at("/1/busy").asInt() == 0);
  }

  @Test
  void aLoadedModelWinsOverAColdOne() {
    for (List<String> order : List.of(List.of(SMOLLM, OTHER), List.of(OTHER, SMOLLM))) {
      assertThat(ask(order.getFirst(), "\"max_tokens\": 1").statusCode()).isEqualTo(200);
      Stack.send(
          HttpRequest.newBuilder(URI.create("http://127.0.0.1:11434/api/generate"))
              .POST(
                  HttpRequest.BodyPublishers.ofString(
                      "{\"model\": \"%s\", \"keep_alive\": 0}".formatted(order.getLast())))
              .build());

      await() // JARVIS polls every 15 s which models Ollama has loaded
          .atMost(LIMIT)
          .untilAsserted(
              () -> {
                JsonNode first = explain("by-load").path(0);
                assertThat(first.path("model").asText()).isEqualTo(order.getFirst());
                assertThat(first.path("reason").asText()).isEqualTo("loaded");
              });
    }
  }

  @Test
  void aSlowTargetIsReplacedBeforeTheFirstByteUntilItsCircuitOpens() {
    String fallbacks =
        "llm_fallbacks_total{model=\"%s\",provider=\"hasty\",reason=\"timeout\"}".formatted(SMOLLM);
    double before = Stack.metric(fallbacks);
    String trace = UUID.randomUUID().toString().replace("-", "");

    HttpResponse<String> answer =
        ask(
            "falls-back",
            "\"max_tokens\": 4, \"stream\": true",
            "traceparent",
            "00-" + trace + "-00f067aa0ba902b7-01");

    assertThat(header(answer, "x-jarvis-provider")).isEqualTo("ollama");
    assertThat(header(answer, "x-jarvis-model")).isEqualTo(OTHER);
    assertThat(answer.body()).endsWith("data: [DONE]\n\n").doesNotContain("\"error\"");
    assertThat(Stack.metric(fallbacks)).isEqualTo(before + 1);
    await()
        .atMost(LIMIT)
        .untilAsserted(
            () ->
                assertThat(Stack.jaeger(trace))
                    .extracting(it -> it.path("operationName").asText())
                    .contains("chat " + SMOLLM, "chat " + OTHER));
    await()
        .atMost(LIMIT)
        .pollInterval(Duration.ofMillis(1))
        .until(
            () -> {
              ask("falls-back", "\"max_tokens\": 1");
              return explain("falls-back").at("/1/reason").asText().equals("circuit_open");
            });
  }

  @Test
  void bothDialectsObeyAResponseFormat() {
    String format =
        """
        "temperature": 0, "max_tokens": 60, "response_format": {"type": "json_schema", "json_schema":
          {"name": "city", "schema": {"type": "object", "required": ["city", "people"],
            "properties": {"city": {"enum": ["Rome", "Paris"]}, "people": {"type": "integer"}}}}}""";
    for (String model : List.of(OTHER, "through-gateway")) {
      HttpResponse<String> answer =
          Stack.send(
              post(
                  "/v1/chat/completions",
                  chat(model, "What is the capital of France? Answer in JSON.", format)));

      assertThat(header(answer, "x-jarvis-model")).isEqualTo(OTHER);
      JsonNode city = Stack.json(Stack.answer(answer));
      assertThat(city.path("city").asText()).isIn("Rome", "Paris");
      assertThat(city.path("people").isIntegralNumber()).isTrue();
    }
  }

  @Test
  void aRefusalOfTheModelIsReported() {
    String tools =
        """
        "tools": [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}]""";
    for (String model : List.of(SMOLLM, "through-gateway")) {
      HttpResponse<String> refused = ask(model, tools); // neither model supports tools

      assertThat(refused.statusCode()).as(refused.body()).isEqualTo(400);
      assertThat(refused.body()).contains("refused_by_model", "does not support tools");
    }
  }

  @Test
  void embeddingsOfRealModels() {
    for (String model : List.of(SMOLLM, "vectors")) {
      HttpResponse<String> answer =
          Stack.send(
              post(
                  "/v1/embeddings",
                  "{\"model\": \"%s\", \"input\": [\"a cat\", \"a dog\"]}".formatted(model)));

      assertThat(header(answer, "x-jarvis-route")).isEqualTo(model);
      JsonNode data = Stack.json(answer.body()).path("data");
      assertThat(data).hasSize(2);
      assertThat(data.at("/0/embedding").size())
          .isGreaterThan(100)
          .isEqualTo(data.at("/1/embedding").size());
      assertThat(Stack.json(answer.body()).at("/usage/prompt_tokens").asInt()).isPositive();
    }
  }

  @Test
  void theSameQuestionIsAnsweredFromTheCache() {
    String fields = "\"temperature\": 0, \"max_tokens\": 8, \"user\": \"%s\"";
    String question = fields.formatted(UUID.randomUUID());
    String seed = ", \"seed\": " + System.nanoTime();

    HttpResponse<String> first = ask("cached", question + seed);
    HttpResponse<String> second = ask("cached", fields.formatted("another") + seed);

    assertThat(header(first, "x-jarvis-cache")).isEqualTo("miss");
    assertThat(header(second, "x-jarvis-cache")).isEqualTo("hit");
    assertThat(Stack.answer(second)).isEqualTo(Stack.answer(first));
  }

  @Test
  void metricsOfOllamaAreRecordedByModel() {
    for (String model : List.of(SMOLLM, OTHER)) {
      ask(model);
      assertThat(
              Stack.metric(
                  "ollama_generated_tokens_total{model=\"%s\",provider=\"ollama\"}"
                      .formatted(model)))
          .isPositive();
    }
  }
}
