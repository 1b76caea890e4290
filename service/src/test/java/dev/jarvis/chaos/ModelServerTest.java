package dev.jarvis.chaos;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.jarvis.chaos.ModelServer.Generation;
import java.io.IOException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class ModelServerTest {
  private static final Duration LIMIT = Duration.ofSeconds(20);

  private Gate gate;
  private ModelServer model;
  private HttpClient client;

  @BeforeAll
  void start() throws IOException {
    gate = new Gate();
    model = new ModelServer(gate);
    client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
  }

  @AfterEach
  void open() {
    gate.open();
  }

  @AfterAll
  void stop() throws IOException {
    client.shutdownNow();
    model.close();
    gate.close();
  }

  private CompletableFuture<HttpResponse<String>> ask(String prompt, boolean stream) {
    String body =
        """
        {"model":"cheap:1b","stream":%s,"messages":[{"role":"user","content":"%s"}]}"""
            .formatted(stream, prompt);
    return client.sendAsync(
        HttpRequest.newBuilder(model.uri().resolve("/api/chat"))
            .POST(BodyPublishers.ofString(body))
            .build(),
        BodyHandlers.ofString());
  }

  private Generation generation(String requestId) {
    return model.generations().stream()
        .filter(it -> it.requestId().equals(requestId))
        .findFirst()
        .orElseThrow();
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void countsWhatItReports(boolean stream) {
    String id = "1:" + stream;
    assertThat(ask(id + " 7 0", stream).join().body())
        .contains("\"prompt_eval_count\":11,\"eval_count\":7");
    assertThat(generation(id).output()).isEqualTo(7);
    assertThat(generation(id).reported()).isTrue();
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void stopsWhenItsClientHasLeft(boolean stream) {
    gate.shut();
    String id = stream + ":" + Moment.HALF;
    CompletableFuture<HttpResponse<String>> answer = ask(id + " 8 1", stream);
    await().atMost(LIMIT).until(() -> gate.holds(id));
    answer.cancel(true);
    gate.open();
    // it is told of the end of the connection, not of the test's wish
    await()
        .atMost(LIMIT)
        .until(() -> ask("2:after-" + id + " 1 0", stream).join().body().contains("done"));
    assertThat(generation(id).output()).isLessThan(8);
    assertThat(generation(id).reported()).isFalse();
  }

  @Test
  void holdsACallAtItsMomentUntilTheGateOpens() {
    gate.shut();
    CompletableFuture<HttpResponse<String>> answer = ask("3:" + Moment.ASKED + " 2 0", false);
    await().atMost(LIMIT).until(() -> gate.holds("3:" + Moment.ASKED));
    assertThat(answer).isNotDone();
    assertThat(generation("3:" + Moment.ASKED).output()).isZero();
    gate.open();
    assertThat(answer.join().body()).contains("\"eval_count\":2");
  }
}
