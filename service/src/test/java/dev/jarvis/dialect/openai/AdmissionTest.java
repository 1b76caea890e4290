package dev.jarvis.dialect.openai;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.jarvis.TestService;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A service that answers one request at a time, with room for one in the queue. */
@Timeout(60)
class AdmissionTest {
  private static final String WAITING = "llm_waiting_requests";
  private static final Duration LIMIT = Duration.ofSeconds(20);
  private static TestService service;

  @BeforeAll
  static void start() throws Exception {
    service =
        TestService.start(
            Map.of(
                "JARVIS_CHAT_MAX_CONCURRENT", "1",
                "JARVIS_CHAT_MAX_QUEUED", "1",
                "JARVIS_CHAT_QUEUE_TIMEOUT", "50s"));
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

  private static CompletableFuture<HttpResponse<String>> ask() {
    return ask(service);
  }

  private static CompletableFuture<HttpResponse<String>> ask(TestService service) {
    return CompletableFuture.supplyAsync(
        () ->
            service.chat(
                "{\"model\":\"%s\",\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}"
                    .formatted(service.ollama().model())));
  }

  private static void awaitAsked(TestService service) {
    await().atMost(LIMIT).until(() -> service.ollama().requests() == 1);
  }

  private static void awaitWaiting(int count) {
    await().atMost(LIMIT).until(() -> service.metric(WAITING) == count);
  }

  @Test
  void oneRequestWaitsAndTheNextIsRefusedAndCounted() throws Exception {
    String rejected =
        "llm_requests_total{model=\"_other\",outcome=\"rejected\",provider=\"_none\"}";
    double before = service.metric(rejected);
    service.ollama().hold();
    CompletableFuture<HttpResponse<String>> first = ask();
    awaitAsked(service);
    CompletableFuture<HttpResponse<String>> second = ask();
    awaitWaiting(1);

    HttpResponse<String> third = ask().get();

    assertThat(third.statusCode()).isEqualTo(503);
    assertThat(third.headers().firstValue("retry-after")).contains("1");
    assertThat(TestService.json(third.body()).at("/error/code").asText()).isEqualTo("overloaded");
    assertThat(service.metric(rejected)).isEqualTo(before + 1);
    service.ollama().release();
    assertThat(first.get().statusCode()).isEqualTo(200);
    assertThat(second.get().statusCode()).isEqualTo(200);
    awaitWaiting(0);
  }

  @Test
  void waitingHasALimit() throws Exception {
    try (TestService hasty =
        TestService.start(
            Map.of("JARVIS_CHAT_MAX_CONCURRENT", "1", "JARVIS_CHAT_QUEUE_TIMEOUT", "500ms"))) {
      hasty.awaitModel(hasty.ollama().model()).ollama().hold();
      CompletableFuture<HttpResponse<String>> first = ask(hasty);
      awaitAsked(hasty);

      HttpResponse<String> second = ask(hasty).get();

      assertThat(second.statusCode()).isEqualTo(503);
      assertThat(second.body()).contains("waited for more than 500 ms");
      hasty.ollama().release();
      assertThat(first.get().statusCode()).isEqualTo(200);
      assertThat(ask(hasty).get().statusCode()).as("after the permit was released").isEqualTo(200);
    }
  }
}
