package dev.jarvis.dialect.openai;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import dev.jarvis.TestService;
import dev.jarvis.provider.openai.FakeOpenAi;
import java.io.InputStream;
import java.net.http.HttpClient;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The maximum number of vectors, and malformed answers of two targets. */
@Timeout(180)
class LargeEmbeddingsTest {
  private static final int INPUTS = 2048;
  private static final int DIMENSIONS = 1536;

  private static FakeOpenAi first;
  private static FakeOpenAi second;
  private static TestService service;

  @BeforeAll
  static void start() throws Exception {
    first = FakeOpenAi.start("first-1");
    second = FakeOpenAi.start("second-1");
    service =
        TestService.startWith(
                """
                providers:
                  first: {type: openai, url: "%s"}
                  second: {type: openai, url: "%s"}
                routes:
                  - name: both
                    targets:
                      - {provider: first, model: first-1, priority: 1}
                      - {provider: second, model: second-1, priority: 2}
                """
                    .formatted(first.uri(), second.uri()))
            .awaitModel("first-1")
            .awaitModel("second-1");
  }

  @AfterAll
  static void stop() {
    service.close();
    first.close();
    second.close();
  }

  @BeforeEach
  void reset() {
    first.reset();
    second.reset();
  }

  @Test
  void theMaximumNumberOfInputsIsOneRequestAndAnsweredWhole() throws Exception {
    first.printVectors(DIMENSIONS);
    String body = "{\"model\":\"both\",\"input\":[%s\"x\"]}".formatted("\"x\",".repeat(INPUTS - 1));

    int vectors = 0;
    int numbers = 0;
    try (HttpClient client = HttpClient.newHttpClient()) {
      HttpResponse<InputStream> response =
          client.send(
              service
                  .request("/v1/embeddings")
                  .timeout(Duration.ofMinutes(2))
                  .POST(BodyPublishers.ofString(body))
                  .build(),
              BodyHandlers.ofInputStream());
      assertThat(response.statusCode()).isEqualTo(200);
      try (JsonParser json = new JsonFactory().createParser(response.body())) {
        for (JsonToken it = json.nextToken(); it != null; it = json.nextToken()) {
          if (it == JsonToken.FIELD_NAME && json.currentName().equals("embedding")) {
            assertThat(json.nextToken()).isEqualTo(JsonToken.START_ARRAY);
            vectors++;
            while (json.nextToken() != JsonToken.END_ARRAY) {
              numbers++;
            }
          }
        }
      }
    }

    assertThat(vectors).isEqualTo(INPUTS);
    assertThat(numbers).isEqualTo(INPUTS * DIMENSIONS);
    assertThat(first.requests()).isEqualTo(1);
    assertThat(second.requests()).isZero();
  }

  @Test
  void malformedVectorsAreRequestedOnceFromEachTarget() {
    first.embedWith("{\"data\": [");
    second.embedWith("{\"data\": 1}");

    HttpResponse<String> response =
        service.post("/v1/embeddings", "{\"model\":\"both\",\"input\":\"x\"}");

    assertAskedOnceEach(response);
  }

  @Test
  void aMalformedAnswerIsRequestedOnceFromEachTarget() {
    first.answer("{\"choices\": [");
    second.answer("{\"choices\": 1}");

    HttpResponse<String> response =
        service.chat("{\"model\":\"both\",\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}");

    assertAskedOnceEach(response);
  }

  private static void assertAskedOnceEach(HttpResponse<String> response) {
    assertThat(response.statusCode()).as(response.body()).isEqualTo(502);
    assertThat(first.requests()).isEqualTo(1);
    assertThat(second.requests()).isEqualTo(1);
  }
}
