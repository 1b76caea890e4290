package dev.jarvis.http.connection;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.jarvis.TestService;
import dev.jarvis.http.Routes;
import java.io.IOException;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Clients that hold connections without using them, on a service with short limits. */
@Timeout(60)
class SlowClientsTest {
  private static final String GET = "GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n";
  private static final Duration HEAD_LIMIT = Duration.ofMillis(400);

  private static TestService service;

  @BeforeAll
  static void start() throws Exception {
    service =
        TestService.start(
            Map.of(
                "JARVIS_SERVER_IDLE_TIMEOUT",
                "3s",
                "JARVIS_SERVER_HEAD_TIMEOUT",
                HEAD_LIMIT.toMillis() + "ms",
                "JARVIS_SERVER_BODY_TIMEOUT",
                "600ms"));
    service.awaitModel(service.ollama().model());
  }

  @AfterAll
  static void stop() {
    service.close();
  }

  @ParameterizedTest
  @ValueSource(strings = {"G", "GET /health/live HTTP/1.1\r\n", GET + "GET /hea"})
  void aHeadThatIsIncompleteAfterTheLimitIsRefusedAndCounted(String begin) throws Exception {
    double before = refused("_OTHER", Routes.UNMATCHED);
    try (RawConnection client = new RawConnection(service)) {
      client.send(begin);

      String answer = client.readAll();

      assertThat(answer.substring(answer.lastIndexOf("HTTP/1.1 ")))
          .startsWith("HTTP/1.1 408 ")
          .containsIgnoringCase("Connection: close")
          .contains("head_too_slow");
    }
    assertThat(refused("_OTHER", Routes.UNMATCHED)).isEqualTo(before + 1);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"Content-Length: 20000\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n4e20\r\n"})
  void aBodyThatArrivesTooSlowlyIsRefusedAndCounted(String framing) throws Exception {
    double before = refused("POST", "/v1/chat/completions");
    try (RawConnection client = new RawConnection(service)) {
      client.send(
          "POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n%s"
              .formatted(TestService.KEY, framing));
      client.readLimit(Duration.ofMillis(50));

      String answer = dripUntilAnswered(client);

      assertThat(answer)
          .startsWith("HTTP/1.1 408 ")
          .containsIgnoringCase("Connection: close")
          .contains("body_too_slow");
    }
    assertThat(refused("POST", "/v1/chat/completions")).isEqualTo(before + 1);
  }

  private static String dripUntilAnswered(RawConnection client) throws IOException {
    for (int drops = 0; drops < 400; drops++) { // twenty seconds
      client.send("x");
      try {
        return client.readUntil("}}");
      } catch (SocketTimeoutException e) {
        // not yet
      }
    }
    throw new AssertionError("never answered");
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void aConnectionMayBeIdleBetweenRequestsUntilTheLimit(boolean watched) throws Exception {
    String question =
        "{\"model\":\"%s\",\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}"
            .formatted(service.ollama().model());
    String request = watched ? RawConnection.chat(question) : GET;
    String end = watched ? "}}" : "}";
    double before = serverErrors();
    try (RawConnection client = new RawConnection(service)) {
      for (int i = 0; i < 2; i++) {
        client.send(request);
        assertThat(client.readUntil(end)).startsWith("HTTP/1.1 200 ");
        client.readLimit(HEAD_LIMIT.multipliedBy(2));
        assertThatThrownBy(() -> client.readUntil("x")).isInstanceOf(SocketTimeoutException.class);
      }
      client.readLimit(Duration.ofSeconds(10));
      assertThat(client.readAll()).isEmpty();
    }
    assertThat(serverErrors()).isEqualTo(before);
  }

  @Test
  void anIncompleteHeadIsNotAFaultOfTheService() throws Exception {
    double before = serverErrors();
    try (RawConnection client = new RawConnection(service)) {
      client.send("GET /health/live HTTP/1.1\r\nHost: x\r\n").halfClose();

      assertThat(client.readAll()).isEmpty();
    }
    assertThat(serverErrors()).isEqualTo(before);
  }

  @Test
  void connectionsBeyondTheLimitWaitAndDoNotDisturbOthers() throws Exception {
    List<RawConnection> open = new ArrayList<>();
    // nobody else connects to this one, and nothing is idle for too long
    try (TestService small = TestService.start(Map.of("JARVIS_SERVER_MAX_CONNECTIONS", "4"))) {
      for (int i = 0; i < 4; i++) {
        open.add(new RawConnection(small));
        assertAnswered(open.getLast().send(GET));
      }
      try (RawConnection waiting = new RawConnection(small)) {
        waiting.send(GET).readLimit(Duration.ofMillis(500));
        assertThatThrownBy(() -> waiting.readUntil("}")).isInstanceOf(SocketTimeoutException.class);
        for (RawConnection one : open) {
          assertAnswered(one.send(GET));
        }

        open.removeFirst().close();

        waiting.readLimit(Duration.ofSeconds(20));
        assertAnswered(waiting);
      }
    } finally {
      for (RawConnection one : open) {
        one.close();
      }
    }
  }

  private static void assertAnswered(RawConnection client) throws IOException {
    assertThat(client.readUntil("}")).startsWith("HTTP/1.1 200 ");
  }

  private static double serverErrors() {
    return service.metric(
        "http_requests_total{method=\"_OTHER\",route=\"_unmatched\",status=\"500\"}");
  }

  private static double refused(String method, String route) {
    return service.metric(
        "http_requests_total{method=\"%s\",route=\"%s\",status=\"408\"}".formatted(method, route));
  }
}
