package dev.jarvis.dialect.openai;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.jarvis.TestService;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Two users that send the same request to a route with a cache. */
@Timeout(60)
class CacheIsolationTest {
  private static final Duration LIMIT = Duration.ofSeconds(20);

  /** Its SHA-256 is FIPS 180-2's example. */
  private static final String ALICE = "abc";

  private static TestService service;
  private static int questions;

  private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
  private String question = "";

  @BeforeAll
  static void start() throws Exception {
    service =
        TestService.startWith(
                """
                api-keys: "alice:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
                routes:
                  - {name: mine, cache: user, targets: [{provider: ollama, model: "fake:1b"}]}
                  - {name: ours, cache: shared, targets: [{provider: ollama, model: "fake:1b"}]}
                """)
            .awaitModel("fake:1b");
  }

  @AfterAll
  static void stop() {
    service.close();
  }

  @BeforeEach
  void reset() {
    service.ollama().reset();
    question = "question " + questions++;
  }

  @AfterEach
  void close() {
    service.ollama().release();
    threads.close();
  }

  private HttpResponse<String> ask(String route, String key, boolean stream) {
    return service.chat(
        """
        {"model":"%s","temperature":0,"stream":%s,"messages":[{"role":"user","content":"%s"}]}"""
            .formatted(route, stream, question),
        "Authorization",
        "Bearer " + key);
  }

  private static void answerWith(String text) {
    service.ollama().answerWith("{\"role\":\"assistant\",\"content\":\"%s\"}".formatted(text));
  }

  private static void assertAnswer(HttpResponse<String> response, String cache, String text) {
    assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
    assertThat(response.headers().firstValue("x-jarvis-cache")).contains(cache);
    assertThat(response.body()).contains("\"content\":\"" + text + "\"");
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void aUsersAnswerIsNotGivenToOthers(boolean stream) {
    answerWith("for the administrator");
    assertAnswer(ask("mine", TestService.KEY, stream), "miss", "for the administrator");
    answerWith("for alice");

    assertAnswer(ask("mine", ALICE, stream), "miss", "for alice");

    answerWith("for nobody");
    assertAnswer(ask("mine", TestService.KEY, stream), "hit", "for the administrator");
    assertAnswer(ask("mine", ALICE, stream), "hit", "for alice");
    assertThat(service.ollama().requests()).isEqualTo(2);
  }

  @Test
  void anAnswerInProgressIsNotSharedWithOtherUsers() {
    service.ollama().hold();
    CompletableFuture<HttpResponse<String>> admins =
        CompletableFuture.supplyAsync(() -> ask("mine", TestService.KEY, false), threads);
    await().atMost(LIMIT).until(() -> service.ollama().requests() == 1);

    CompletableFuture<HttpResponse<String>> alices =
        CompletableFuture.supplyAsync(() -> ask("mine", ALICE, false), threads);
    await().atMost(LIMIT).until(() -> service.ollama().requests() == 2);
    service.ollama().release();

    assertThat(admins.join().headers().firstValue("x-jarvis-cache")).contains("miss");
    assertThat(alices.join().headers().firstValue("x-jarvis-cache")).contains("miss");
  }

  @Test
  void aSharedAnswerIsGivenToBoth() {
    answerWith("for everybody");

    assertAnswer(ask("ours", TestService.KEY, false), "miss", "for everybody");
    assertAnswer(ask("ours", ALICE, false), "hit", "for everybody");
    assertThat(service.ollama().requests()).isEqualTo(1);
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void anErrorIsNotCached(boolean stream) {
    service.ollama().failTimes(1, 400, 0);
    assertThat(ask("ours", TestService.KEY, stream).statusCode()).isEqualTo(400);
    service.ollama().reset();
    answerWith("a good answer");

    assertAnswer(ask("ours", ALICE, stream), "miss", "a good answer");

    assertThat(service.ollama().requests()).isEqualTo(1);
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void anInterruptedAnswerIsNotCached(boolean stream) {
    service.ollama().breakMidStream();
    assertThat(ask("ours", TestService.KEY, stream).body()).contains("\"error\"");
    service.ollama().reset();
    answerWith("a good answer");

    assertAnswer(ask("ours", ALICE, stream), "miss", "a good answer");
  }
}
