package dev.jarvis.provider.local;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import dev.jarvis.TestService;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.Statement;
import java.time.Duration;
import java.util.Base64;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The embedding model inside the process, as clients see it. */
@Timeout(120)
class LocalServiceTest {
  private static final String MODEL = "all-minilm-l6-v2";

  private static TestService service;

  @BeforeAll
  static void start() throws Exception {
    service = TestService.start(Map.of("JARVIS_LOCAL_EMBEDDING_MODEL", MODEL));
    service.awaitModel(MODEL);
  }

  @AfterAll
  static void stop() {
    service.close();
  }

  private static HttpResponse<String> embed(TestService replica, String fields) {
    return replica.post("/v1/embeddings", "{\"model\":\"%s\",%s}".formatted(MODEL, fields));
  }

  private static JsonNode answer(String fields) {
    HttpResponse<String> response = embed(service, fields);
    assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
    return TestService.json(response.body());
  }

  @Test
  void answersAsAnyProvider() {
    JsonNode answer = answer("\"input\":[\"hi\",\"unaffable\"],\"dimensions\":384");

    assertThat(answer.at("/data/1/embedding")).hasSize(384);
    assertThat(answer.at("/usage/prompt_tokens").asInt()).isEqualTo(8);
    assertThat(answer.path("model").asText()).isEqualTo(MODEL);
    assertThat(embed(service, "\"input\":\"hi\"").headers().firstValue("x-jarvis-provider"))
        .hasValue("local");
  }

  @Test
  void writesBase64WhereAskedTo() {
    JsonNode numbers = answer("\"input\":\"hi\"").at("/data/0/embedding");
    String text =
        answer("\"input\":\"hi\",\"encoding_format\":\"base64\"").at("/data/0/embedding").asText();

    ByteBuffer bytes =
        ByteBuffer.wrap(Base64.getDecoder().decode(text)).order(ByteOrder.LITTLE_ENDIAN);
    assertThat(bytes.remaining()).isEqualTo(4 * 384);
    for (JsonNode number : numbers) {
      assertThat(bytes.getFloat()).isEqualTo(number.floatValue());
    }
  }

  @Test
  void refusesATextThatIsLongerThanItsWindow() {
    HttpResponse<String> response =
        embed(service, "\"input\":\"%s\"".formatted("word ".repeat(255)));

    assertThat(response.statusCode()).isEqualTo(400);
    JsonNode error = TestService.json(response.body()).path("error");
    assertThat(error.path("code").asText()).isEqualTo("context_length_exceeded");
    assertThat(error.path("param").asText()).isEqualTo("input");
    assertThat(error.path("message").asText()).contains("257 tokens", "is 256");
  }

  @Test
  void doesNotChat() {
    HttpResponse<String> response =
        service.chat(
            "{\"model\":\"%s\",\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}"
                .formatted(MODEL));

    assertThat(response.statusCode()).isEqualTo(400);
    assertThat(response.body())
        .contains("None of the providers of 'all-minilm-l6-v2' (local) answers chats");
  }

  @Test
  void isCountedAndRecorded() throws Exception {
    String series =
        "llm_requests_total{model=\"%s\",outcome=\"ok\",provider=\"local\"}".formatted(MODEL);
    double before = service.metric(series);
    answer("\"input\":\"The ledger has an entry for this.\"");

    assertThat(service.metric(series)).isEqualTo(before + 1);
    await().atMost(Duration.ofSeconds(20)).until(() -> entries() > 0);
  }

  private static int entries() throws Exception {
    try (Connection connection = service.database().connect();
        Statement statement = connection.createStatement();
        ResultSet rows =
            statement.executeQuery(
                "SELECT count(*) FROM ledger_entries WHERE provider = 'local' AND operation = 'embeddings' AND input_tokens = 10")) {
      rows.next();
      return rows.getInt(1);
    }
  }

  @Test
  void isUnknownUnlessConfigured() {
    assertThat(embed(TestService.shared(), "\"input\":\"hi\"").statusCode()).isEqualTo(404);
  }
}
