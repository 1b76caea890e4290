package dev.jarvis.dialect.openai;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import dev.jarvis.TestService;
import dev.jarvis.provider.openai.FakeOpenAi;
import java.net.http.HttpResponse;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Embeddings over HTTP. */
@Timeout(60)
class EmbeddingsTest {
  private static final String TWO =
      """
      {"embeddings": [[0.5, -1.25], [2, 0]], "prompt_eval_count": 7,
       "total_duration": 30000000, "load_duration": 10000000}""";

  private static FakeOpenAi cloud;
  private static TestService service;

  @BeforeAll
  static void start() throws Exception {
    cloud = FakeOpenAi.start("cloud-1");
    service =
        TestService.startWith(
                """
                providers:
                  cloud: {type: openai, url: "%s"}
                prices:
                  - {provider: ollama, model: "fake:1b", input: 2, output: 0}
                """
                    .formatted(cloud.uri()))
            .awaitModel("cloud-1");
  }

  @AfterAll
  static void stop() {
    service.close();
    cloud.close();
  }

  private static HttpResponse<String> embed(String model, String fields) {
    return service.post("/v1/embeddings", "{\"model\": \"%s\", %s}".formatted(model, fields));
  }

  private static JsonNode json(HttpResponse<String> response) {
    assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
    return TestService.json(response.body());
  }

  @Test
  void ollamasVectorsAreReturnedInOrderAndCountedAndPriced() {
    service.ollama().embedWith(TWO);
    String requests = "llm_requests_total{model=\"fake:1b\",outcome=\"ok\",provider=\"ollama\"}";
    String tokens = "llm_tokens_total{model=\"fake:1b\",provider=\"ollama\",type=\"input\"}";
    String cost = "llm_cost_usd_total{model=\"fake:1b\",provider=\"ollama\"}";
    double requestsBefore = service.metric(requests);
    double tokensBefore = service.metric(tokens);
    double costBefore = service.metric(cost);

    HttpResponse<String> response = embed("fake:1b", "\"input\": [\"a\", \"b\"], \"x\": 1");

    assertThat(json(response))
        .isEqualTo(
            TestService.json(
                """
                {"object": "list", "data": [
                  {"object": "embedding", "index": 0, "embedding": [0.5, -1.25]},
                  {"object": "embedding", "index": 1, "embedding": [2.0, 0.0]}],
                 "model": "fake:1b", "usage": {"prompt_tokens": 7, "total_tokens": 7}}"""));
    assertThat(response.headers().firstValue("x-jarvis-provider")).contains("ollama");
    assertThat(response.headers().firstValue("x-jarvis-ignored")).contains("x");
    assertThat(TestService.json(service.ollama().lastBody()))
        .isEqualTo(
            TestService.json("{\"model\":\"fake:1b\",\"truncate\":false,\"input\":[\"a\",\"b\"]}"));
    assertThat(service.metric(requests)).isEqualTo(requestsBefore + 1);
    assertThat(service.metric(tokens)).isEqualTo(tokensBefore + 7);
    assertThat(service.metric(cost)).isCloseTo(costBefore + 14e-6, within(1e-9));
  }

  @Test
  void vectorsComeAsBase64WhereTheClientWantsThem() {
    service.ollama().embedWith("{\"embeddings\": [[0.5, -1.25]], \"prompt_eval_count\": 1}");

    JsonNode answer = json(embed("fake:1b", "\"input\": \"a\", \"encoding_format\": \"base64\""));

    assertThat(answer.at("/data/0/embedding").asText()).isEqualTo("AAAAPwAAoL8=");
  }

  @Test
  void anOpenAiServerReceivesWhatTheClientSent() {
    cloud.embedWith(
        """
        {"data": [{"index": 1, "embedding": [2]}, {"index": 0, "embedding": [1]}],
         "usage": {"prompt_tokens": 5, "total_tokens": 5}}""");

    JsonNode answer =
        json(embed("cloud-1", "\"input\": [[1, 2], [3]], \"dimensions\": 1, \"y\": 2"));

    assertThat(answer.at("/data/0/embedding/0").asInt()).isEqualTo(1);
    assertThat(answer.at("/data/1/embedding/0").asInt()).isEqualTo(2);
    assertThat(answer.at("/usage/prompt_tokens").asInt()).isEqualTo(5);
    assertThat(TestService.json(cloud.lastBody()))
        .isEqualTo(
            TestService.json(
                """
                {"model": "cloud-1", "input": [[1, 2], [3]], "dimensions": 1, "y": 2,
                 "encoding_format": "float"}"""));
  }

  @Test
  void vectorsOfTheWrongNumberOrSizeAreAnError() {
    service.ollama().embedWith(TWO);

    HttpResponse<String> missing = embed("fake:1b", "\"input\": \"a\"");
    HttpResponse<String> longer = embed("fake:1b", "\"input\": [\"a\", \"b\"], \"dimensions\": 1");

    assertThat(missing.statusCode()).isEqualTo(502);
    assertThat(longer.statusCode()).isEqualTo(400);
    assertThat(longer.body()).contains("vectors of 2 numbers");
  }

  @Test
  void tokensAreRefusedWhereTheProviderTakesTextOnly() {
    HttpResponse<String> response = embed("fake:1b", "\"input\": [1, 2]");

    assertThat(response.statusCode()).isEqualTo(400);
    JsonNode error = TestService.json(response.body()).path("error");
    assertThat(error.path("param").asText()).isEqualTo("input");
    assertThat(error.path("message").asText()).contains("(ollama)");
  }

  /** The error of Ollama 0.11 for a model that only chats. */
  @Test
  void aModelWithoutEmbeddingsIsReportedAsSuch() {
    service.ollama().failWith(500, "this model does not support embeddings");
    try {
      HttpResponse<String> refused = embed("fake:1b", "\"input\": \"a\"");

      assertThat(refused.statusCode()).as(refused.body()).isEqualTo(400);
      assertThat(refused.body()).contains("refused_by_model", "does not support embeddings");
    } finally {
      service.ollama().reset();
    }
  }

  @Test
  void anUnknownModelIsNotFound() {
    HttpResponse<String> response = embed("nowhere", "\"input\": \"a\"");

    assertThat(response.statusCode()).isEqualTo(404);
    assertThat(response.body()).contains("model_not_found");
  }
}
