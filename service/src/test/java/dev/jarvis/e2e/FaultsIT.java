package dev.jarvis.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What users notice when parts of the stack stop, stall or come back: nothing. */
class FaultsIT {
  private static final Duration LIMIT = Duration.ofMinutes(2);

  @Test
  void noRequestFailsOrSlowsWhileTheCollectorIsAway() {
    List<Long> before = traffic(12);
    Stack.script("stop", "otel-collector");
    List<Long> away;
    try {
      away = traffic(25);
    } finally {
      Stack.script("start", "otel-collector");
    }
    List<Long> after = traffic(12);

    // the same machine, the same minute: medians apart by less than noise allows
    assertThat(median(away)).isLessThan(2 * median(before) + 200);
    assertThat(median(after)).isLessThan(2 * median(before) + 200);
    double asked = llmRequests("scrape");
    await().atMost(LIMIT).until(() -> llmRequests("otlp") >= asked);
  }

  /** Asks so many times; returns how long each took in ms. Fails if one fails. */
  private static List<Long> traffic(int requests) {
    List<Long> millis = new ArrayList<>();
    for (int i = 0; i < requests; i++) {
      long start = System.nanoTime();
      HttpResponse<String> answer = Stack.chat("Say hello.", i % 2 == 0);
      millis.add((System.nanoTime() - start) / 1_000_000);
      assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
      assertThat(answer.body()).doesNotContain("\"error\"");
    }
    return millis;
  }

  private static long median(List<Long> values) {
    List<Long> sorted = new ArrayList<>(values);
    Collections.sort(sorted);
    return sorted.get(sorted.size() / 2);
  }

  private static double llmRequests(String path) {
    return Stack.prometheus(
            "sum(llm_requests_total{outcome=\"ok\",telemetry_path=\"%s\"})".formatted(path))
        .stream()
        .mapToDouble(Stack::value)
        .sum();
  }

  @Test
  void aRestartOfTheServiceDoublesNoGauge() {
    Stack.chat("Say hello.", false);
    await().atMost(LIMIT).until(() -> gauges("scrape") == 1 && gauges("otlp") == 1);

    Stack.script("restart", "api");
    await().atMost(LIMIT).until(() -> Stack.prometheus("up{job=\"jarvis-api\"} == 1").size() == 1);
    await().atMost(LIMIT).until(FaultsIT::apiAnswers);
    Stack.chat("Say hello.", false);

    await()
        .during(Duration.ofSeconds(20))
        .atMost(LIMIT)
        .until(() -> gauges("scrape") == 1 && gauges("otlp") == 1);
  }

  private static boolean apiAnswers() {
    try {
      return Stack.get("http://127.0.0.1:8000/health/ready").statusCode() == 200;
    } catch (AssertionError e) {
      return false;
    }
  }

  private static int gauges(String path) {
    return Stack.prometheus("active_users{telemetry_path=\"%s\"}".formatted(path)).size();
  }

  @ParameterizedTest
  @ValueSource(strings = {"otel-collector", "postgres", "redis"})
  void healthMetricsAndAnswersGoOnWhileAPartIsStalled(String part) throws Exception {
    Stack.signal(part, "STOP");
    try {
      for (int i = 0; i < 20; i++) {
        assertAnswersWithin(Duration.ofSeconds(1), "/health");
        assertAnswersWithin(Duration.ofSeconds(1), "/metrics");
      }
      assertThat(Stack.chat("Say hello.", false).statusCode()).isEqualTo(200);
      String check =
          switch (part) {
            case "postgres" -> "\"database\":\"error\"";
            case "redis" -> "\"redis\":\"error\"";
            default -> "\"status\":\"healthy\"";
          };
      awaitHealth(() -> health().contains(check));
    } finally {
      Stack.signal(part, "CONT");
    }
    awaitHealth(() -> health().contains("\"status\":\"healthy\""));
  }

  private static void awaitHealth(BooleanSupplier condition) {
    await().atMost(Duration.ofSeconds(30)).until(condition::getAsBoolean);
  }

  private static String health() {
    return Stack.get("http://127.0.0.1:8000/health").body();
  }

  private static void assertAnswersWithin(Duration limit, String path) {
    long start = System.nanoTime();
    assertThat(Stack.get("http://127.0.0.1:8000" + path).statusCode()).isEqualTo(200);
    assertThat(Duration.ofNanos(System.nanoTime() - start)).as(path).isLessThan(limit);
  }

  @Test
  void aClientThatHangsUpIsCountedAsSuch() throws Exception {
    double before = aborted();
    String body =
        "{\"model\":\"%s\",\"stream\":true,\"max_tokens\":2000,\"messages\":[{\"role\":\"user\",\"content\":\"Write a long story.\"}]}"
            .formatted(Stack.MODEL);
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), 8000)) {
      String request =
          "POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Length: %d\r\n\r\n%s"
              .formatted(Stack.key(), body.length(), body);
      socket.getOutputStream().write(request.getBytes(StandardCharsets.UTF_8));
      InputStream in = socket.getInputStream();
      assertThat(new String(in.readNBytes(400), StandardCharsets.UTF_8)).startsWith("HTTP/1.1 200");
      socket.setSoLinger(true, 0);
    }

    await().atMost(LIMIT).until(() -> aborted() == before + 1);
    await()
        .atMost(LIMIT)
        .until(
            () ->
                !Stack.loki(
                        "{service_name=\"jarvis-api\"} | outcome=\"aborted\" | status=\"499\" |= \"request_completed\"")
                    .isEmpty());
  }

  private static double aborted() {
    return Stack.get("http://127.0.0.1:8000/metrics")
        .body()
        .lines()
        .filter(it -> it.startsWith("llm_requests_total") && it.contains("outcome=\"aborted\""))
        .mapToDouble(it -> Double.parseDouble(it.substring(it.lastIndexOf(' ') + 1)))
        .sum();
  }
}
