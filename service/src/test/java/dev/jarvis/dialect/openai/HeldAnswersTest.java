package dev.jarvis.dialect.openai;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.jarvis.TestService;
import java.net.http.HttpResponse;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Answers that are held in memory until their clients have read them. */
@Timeout(60)
class HeldAnswersTest {
  /** Half of the budget. */
  private static final int SHARE_BYTES = 256 << 10;

  private static TestService service;

  @BeforeAll
  static void start() throws Exception {
    service =
        TestService.start(
            Map.of(
                "JARVIS_SERVER_MAX_BODY_BYTES", Integer.toString(SHARE_BYTES / 4),
                "JARVIS_SERVER_BODY_BUDGET", Integer.toString(2 * SHARE_BYTES)));
    service.awaitModel(service.ollama().model());
  }

  @AfterAll
  static void stop() {
    service.close();
  }

  @AfterEach
  void reset() {
    service.ollama().reset();
  }

  private static HttpResponse<String> ask(boolean stream) {
    return service.chat(
        "{\"model\":\"%s\",\"stream\":%s,\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}"
            .formatted(service.ollama().model(), stream));
  }

  private static HttpResponse<String> embed(int numbers) {
    service
        .ollama()
        .embedWith(
            "{\"embeddings\":[[%s1]],\"prompt_eval_count\":1}".formatted("1,".repeat(numbers - 1)));
    return service.post(
        "/v1/embeddings", "{\"model\":\"%s\",\"input\":\"x\"}".formatted(service.ollama().model()));
  }

  private static void assertOverloaded(HttpResponse<String> response) {
    assertThat(response.statusCode()).as(response.body()).isEqualTo(503);
    assertThat(response.headers().firstValue("retry-after")).isPresent();
    assertThat(response.body())
        .contains("Your requests in progress and their answers take", "maximum of " + SHARE_BYTES);
    await().until(() -> service.metric("http_request_body_reserved_bytes") == 0);
  }

  @Test
  void aWholeAnswerBeyondAUsersShareIsRefusedAndAStreamIsNot() {
    String piece = "x".repeat(1 << 10);
    service
        .ollama()
        .answerWith(
            "{\"role\":\"assistant\",\"content\":\"%s\"}".formatted(piece),
            SHARE_BYTES / piece.length());

    assertOverloaded(ask(false));
    assertThat(ask(true).body()).contains("data: [DONE]");

    service.ollama().reset();
    assertThat(ask(false).statusCode()).isEqualTo(200);
  }

  @Test
  void vectorsBeyondAUsersShareAreRefused() {
    assertOverloaded(embed(SHARE_BYTES / Float.BYTES));
    assertThat(embed(1000).statusCode()).isEqualTo(200);
  }
}
