package dev.jarvis.dialect.openai;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.jarvis.TestService;
import dev.jarvis.http.connection.RawConnection;
import dev.jarvis.provider.ollama.FakeOllama;
import java.time.Duration;
import java.util.Map;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Clients that disconnect while they wait, and those that do not; one answer at a time. The model
 * server's own limits are minutes.
 */
@Timeout(120)
class DisconnectTest {
  private static final String ROUTE = "/v1/chat/completions";

  /** Far less than the wait that a disconnect ends; seconds on a busy machine. */
  private static final Duration LIMIT = Duration.ofSeconds(20);

  private static TestService service;
  private static FakeOllama ollama;

  @BeforeAll
  static void start() throws Exception {
    service =
        TestService.start(
            Map.of("JARVIS_CHAT_MAX_CONCURRENT", "1", "JARVIS_CHAT_QUEUE_TIMEOUT", "50s"));
    ollama = service.ollama();
    service.awaitModel(ollama.model());
  }

  @AfterAll
  static void stop() {
    service.close();
  }

  @BeforeEach
  void reset() {
    ollama.reset();
  }

  private interface HangUp {
    void by(RawConnection client) throws Exception;
  }

  static Stream<Arguments> waits() {
    Consumer<FakeOllama> endless = FakeOllama::endless;
    Consumer<FakeOllama> noHead = FakeOllama::stallBeforeHeaders;
    Consumer<FakeOllama> noToken = FakeOllama::stallBeforeFirstPiece;
    Consumer<FakeOllama> silent = FakeOllama::stallMidStream;
    Consumer<FakeOllama> pause = it -> it.failTimes(1, 503, 3);
    HangUp close = RawConnection::close;
    HangUp reset = RawConnection::reset;
    HangUp halfClose = RawConnection::halfClose;
    return Stream.of(
        Arguments.of("a whole answer under way", endless, false, close),
        Arguments.of("a whole answer under way", endless, false, reset),
        Arguments.of("a whole answer under way", endless, false, halfClose),
        Arguments.of("a whole answer, no head yet", noHead, false, close),
        Arguments.of("a stream, no head yet", noHead, true, close),
        Arguments.of("a stream, no token yet", noToken, true, reset),
        Arguments.of("a silent stream", silent, true, close),
        Arguments.of("a silent stream", silent, true, halfClose),
        Arguments.of("a pause before a second attempt", pause, false, close));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("waits")
  void aDisconnectIsNoticedWhileTheClientWaits(
      String what, Consumer<FakeOllama> script, boolean stream, HangUp hangUp) throws Exception {
    script.accept(ollama);
    double aborted = aborted(ollama.model(), "ollama");
    double closed = closedByClient();
    try (RawConnection client = ask(stream)) {
      await().atMost(LIMIT).until(() -> ollama.requests() == 1);
      if (what.equals("a silent stream")) {
        client.readUntil("\"content\":\"");
      }

      hangUp.by(client);

      await().atMost(LIMIT).until(() -> aborted(ollama.model(), "ollama") == aborted + 1);
      await().atMost(LIMIT).until(() -> closedByClient() == closed + 1);
      if (what.contains("pause")) {
        assertThat(ollama.requests()).as("there is no second attempt").isEqualTo(1);
      } else {
        await().atMost(LIMIT).until(ollama::clientGone);
      }
    }
    ollama.reset();
    assertThat(service.chat(body(false)).statusCode()).as("the turn was given back").isEqualTo(200);
    await()
        .atMost(LIMIT)
        .untilAsserted(
            () ->
                assertThat(service.metric("ledger_rows_total{result=\"ok\"}"))
                    .as("one row for each question to the model")
                    .isEqualTo(
                        Stream.of("ok", "aborted", "error")
                            .mapToDouble(it -> ended(it, ollama.model(), "ollama"))
                            .sum()));
  }

  @Test
  void aDisconnectIsNoticedInTheQueue() throws Exception {
    ollama.endless();
    try (RawConnection first = ask(true)) {
      first.readUntil("\"content\":\"");
      double aborted = aborted("_other", "_none");
      double closed = closedByClient();
      try (RawConnection second = ask(false)) {
        await().atMost(LIMIT).until(() -> service.metric("llm_waiting_requests") == 1);
        second.reset();

        await().atMost(LIMIT).until(() -> service.metric("llm_waiting_requests") == 0);
        await().atMost(LIMIT).until(() -> aborted("_other", "_none") == aborted + 1);
        await().atMost(LIMIT).until(() -> closedByClient() == closed + 1);
      }
      assertThat(ollama.requests()).as("the second never reached the model").isEqualTo(1);
      first.readUntil("\"content\":\"");
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void aDisconnectWithinTheBodyIsNotABadRequest(boolean reset) throws Exception {
    double closed = closedByClient();
    double bad = requests("400");
    try (RawConnection client = new RawConnection(service)) {
      String request = RawConnection.chat(body(false));
      client.send(request.substring(0, request.length() - 10));
      if (reset) {
        client.reset();
      } else {
        client.close();
      }
    }

    await().atMost(LIMIT).until(() -> closedByClient() == closed + 1);
    assertThat(requests("400")).isEqualTo(bad);
  }

  @Test
  void aDisconnectAfterTheAnswerIsNotAnAbort() throws Exception {
    double closed = closedByClient();
    double good = requests("200");
    for (int i = 0; i < 100; i++) {
      try (RawConnection client = ask(i % 2 == 0)) {
        client.readUntil(i % 2 == 0 ? "\r\n0\r\n\r\n" : "}}"); // to the last byte
      }
    }

    await()
        .atMost(LIMIT)
        .untilAsserted(
            () ->
                assertThat(requests("200"))
                    .as("and %s closed by the client", closedByClient() - closed)
                    .isEqualTo(good + 100));
  }

  @Test
  void aPipelinedRequestIsAnsweredToo() throws Exception {
    String next = "GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n";
    ollama.pauseBetweenPieces(Duration.ofMillis(100));
    try (RawConnection client = new RawConnection(service)) {
      client.send(RawConnection.chat(body(false)) + next);
      assertThat(client.readUntil("}}}")).startsWith("HTTP/1.1 200 ").contains("\"usage\"");
      assertThat(client.readUntil("}")).startsWith("HTTP/1.1 200 ");

      client.send(RawConnection.chat(body(true)));
      client.readUntil("\"content\":\"");
      client.send(next.substring(0, 7)); // arrives while the first is answered, the rest after it
      client.readUntil("[DONE]\n\n");
      client.send(next.substring(7));
      assertThat(client.readUntil("}")).contains("HTTP/1.1 200 ");
    }
  }

  @Test
  void aConnectionServesManyRequestsOneAfterTheOther() throws Exception {
    try (RawConnection client = new RawConnection(service)) {
      for (int i = 0; i < 200; i++) {
        client.send(RawConnection.chat(body(false)));
        assertThat(client.readUntil("}}}")).startsWith("HTTP/1.1 200 ").contains("\"usage\"");
      }
    }
  }

  @Test
  void aClientMayExpectContinue() throws Exception {
    String request =
        RawConnection.chat(body(false)).replace("\r\n\r\n", "\r\nExpect: 100-continue\r\n\r\n");
    int head = request.indexOf("\r\n\r\n") + 4;
    try (RawConnection client = new RawConnection(service)) {
      for (int i = 0; i < 3; i++) {
        client.send(request.substring(0, head));
        assertThat(client.readUntil("\r\n\r\n")).startsWith("HTTP/1.1 100 ");
        client.send(request.substring(head));
        assertThat(client.readUntil("}}}")).startsWith("HTTP/1.1 200 ");
      }
    }
  }

  private static RawConnection ask(boolean stream) throws Exception {
    return new RawConnection(service).send(RawConnection.chat(body(stream)));
  }

  private static String body(boolean stream) {
    return "{\"model\":\"%s\",\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}],\"stream\":%s}"
        .formatted(ollama.model(), stream);
  }

  private static double aborted(String model, String provider) {
    return ended("aborted", model, provider);
  }

  private static double ended(String outcome, String model, String provider) {
    return service.metric(
        "llm_requests_total{model=\"%s\",outcome=\"%s\",provider=\"%s\"}"
            .formatted(model, outcome, provider));
  }

  private static double closedByClient() {
    return requests("499");
  }

  private static double requests(String status) {
    return service.metric(
        "http_requests_total{method=\"POST\",route=\"%s\",status=\"%s\"}".formatted(ROUTE, status));
  }
}
