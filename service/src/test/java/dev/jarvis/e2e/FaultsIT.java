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
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Users notice nothing when parts of the stack stop, stall or return. */
class FaultsIT {
  private static final Duration LIMIT = Duration.ofMinutes(2);

  @Test
  void noRequestFailsOrIsSlowWhileTheCollectorIsDown() throws Exception {
    List<Long> before = traffic(() -> false, 15);
    AtomicInteger answered = new AtomicInteger();
    AtomicBoolean back = new AtomicBoolean();
    CompletableFuture<List<Long>> meanwhile =
        CompletableFuture.supplyAsync(
            () -> traffic(() -> answered.getAndIncrement() > 0 && back.get(), 1_000));
    Stack.script("stop", "otel-collector");
    try {
      await().atMost(LIMIT).until(() -> answered.get() > 20 || meanwhile.isDone());
    } finally {
      Stack.script("start", "otel-collector");
      back.set(true);
    }
    List<Long> during = meanwhile.get(2, TimeUnit.MINUTES);

    // must notice a stall as long as an export's timeout (10 s), but not busy cores
    assertThat(Collections.max(during)).isLessThan(2 * Collections.max(before) + 3_000);
    assertThat(median(during)).isLessThan(2 * median(before) + 500);
    double asked = llmRequests("scrape");
    await().atMost(LIMIT).until(() -> llmRequests("otlp") >= asked);
  }

  /**
   * Sends requests until a condition holds, at most so many. Fails if a response is an error.
   *
   * @return the durations of requests that need no model, in ms, because those of a model depend on
   *     the machine
   */
  private static List<Long> traffic(BooleanSupplier stop, int most) {
    List<Long> millis = new ArrayList<>();
    while (!stop.getAsBoolean() && millis.size() < most) {
      HttpResponse<String> answer = Stack.chat("Say hello.", millis.size() % 2 == 0);
      assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
      assertThat(answer.body()).doesNotContain("\"error\"");
      long start = System.nanoTime();
      assertThat(Stack.send(Stack.api("/v1/models").GET().build()).statusCode()).isEqualTo(200);
      millis.add((System.nanoTime() - start) / 1_000_000);
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
  void aRestartOfTheServiceDuplicatesNoGauge() {
    Stack.chat("Say hello.", false);
    await().atMost(LIMIT).until(() -> gauges("scrape").equals(gauges("otlp")));
    Map<String, Integer> before = gauges("scrape");
    assertThat(before).containsKeys("active_users", "http_active_requests");

    Stack.script("restart", "api");
    await().atMost(LIMIT).until(() -> Stack.prometheus("up{job=\"jarvis-api\"} == 1").size() == 1);
    await().atMost(LIMIT).until(FaultsIT::apiAnswers);
    Stack.chat("Say hello.", false);

    await()
        .during(Duration.ofSeconds(15))
        .atMost(LIMIT)
        .until(() -> gauges("scrape").equals(before) && gauges("otlp").equals(before));
  }

  private static boolean apiAnswers() {
    try {
      return Stack.get("http://127.0.0.1:8000/health/ready").statusCode() == 200;
    } catch (AssertionError e) {
      return false;
    }
  }

  /** Returns the number of series of each gauge on a telemetry path. */
  private static Map<String, Integer> gauges(String path) {
    return Stack.prometheus(
            "count by (__name__) ({__name__=~\"active_users|http_active_requests|hikaricp_connections_(active|idle|max)|memory_.*\",telemetry_path=\"%s\"})"
                .formatted(path))
        .stream()
        .collect(
            Collectors.toMap(
                it -> it.at("/metric/__name__").asText(), it -> (int) Stack.value(it)));
  }

  @ParameterizedTest
  @ValueSource(strings = {"otel-collector", "postgres", "redis", "otel-collector postgres redis"})
  void healthMetricsAndChatsWorkWhilePartsAreStalled(String parts) throws Exception {
    List<String> stalled = List.of(parts.split(" "));
    for (String part : stalled) {
      Stack.signal(part, "STOP");
    }
    try {
      // longer than every timeout of a probe or a client
      await()
          .pollInterval(Duration.ofMillis(250))
          .during(Duration.ofSeconds(10))
          .atMost(LIMIT)
          .untilAsserted(
              () -> {
                assertAnswersWithin(Duration.ofSeconds(1), "/health");
                assertAnswersWithin(Duration.ofSeconds(1), "/metrics");
              });
      long start = System.nanoTime();
      assertThat(Stack.chat("Say hello.", false).statusCode()).isEqualTo(200);
      assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(10));
      assertThat(health())
          .contains(stalled.contains("postgres") ? "\"database\":\"error\"" : "\"database\":\"ok\"")
          .contains(stalled.contains("redis") ? "\"redis\":\"error\"" : "\"redis\":\"ok\"")
          .contains(parts.equals("otel-collector") ? "\"healthy\"" : "\"degraded\"");
    } finally {
      for (String part : stalled) {
        Stack.signal(part, "CONT");
      }
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
  void aClientThatDisconnectsIsCountedAsAborted() throws Exception {
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
                !Stack.logs(
                        "{service_name=\"jarvis-api\"} | outcome=\"aborted\" | status=\"499\" |= \"request_completed\"")
                    .isEmpty());
  }

  private static double aborted() {
    return Stack.metric(
        "llm_requests_total{model=\"%s\",outcome=\"aborted\"".formatted(Stack.MODEL));
  }
}
