package dev.jarvis.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** One request to a real model, found in Prometheus, the log store and Jaeger. */
class OneRequestEverywhereIT {
  private static final Duration LIMIT = Duration.ofSeconds(90);

  private static String newTrace() {
    return UUID.randomUUID().toString().replace("-", "");
  }

  private static HttpResponse<String> ask(String prompt, boolean stream, String trace) {
    return Stack.chat(prompt, stream, "traceparent", "00-" + trace + "-00f067aa0ba902b7-01");
  }

  @Test
  void allTargetsAreUp() {
    await()
        .atMost(LIMIT)
        .untilAsserted(
            () -> {
              List<JsonNode> up = Stack.prometheus("up");
              assertThat(up.stream().map(it -> it.path("metric").path("job").asText()))
                  .contains(
                      "jarvis-api",
                      "postgres",
                      "redis",
                      "otel-collector",
                      "logs",
                      "jaeger",
                      "prometheus");
              assertThat(up).allMatch(it -> Stack.value(it) == 1);
            });
  }

  @Test
  void aWholeAnswerIsOneTraceAndTwoLogLines() {
    String trace = newTrace();
    HttpResponse<String> answer = ask("Say hello.", false, trace);

    assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
    assertThat(answer.body()).contains("\"chat.completion\"", "\"total_tokens\"");
    assertFoundByTrace(trace);
  }

  @Test
  void aStreamedAnswerIsOneTraceAndTwoLogLines() {
    String trace = newTrace();
    HttpResponse<String> answer = ask("Say hello.", true, trace);

    assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
    assertThat(answer.body()).endsWith("data: [DONE]\n\n");
    assertFoundByTrace(trace);
  }

  private static void assertFoundByTrace(String trace) {
    await()
        .atMost(LIMIT)
        .untilAsserted(
            () ->
                assertThat(Stack.logs("{service_name=\"jarvis-api\"} | trace_id=\"" + trace + "\""))
                    .extracting(it -> it.path("text").asText())
                    .contains("request_started", "request_completed"));
    await()
        .atMost(LIMIT)
        .untilAsserted(
            () ->
                assertThat(
                        Stack.jaeger(trace).stream().map(it -> it.path("operationName").asText()))
                    .contains("POST /v1/chat/completions", "chat " + Stack.MODEL)
                    .anyMatch(it -> it.endsWith(" redis")));
    Map<String, String> fields = new HashMap<>();
    Stack.jaeger(trace)
        .forEach(
            span ->
                span.path("tags")
                    .forEach(
                        tag -> fields.put(tag.path("key").asText(), tag.path("value").asText())));
    assertThat(fields)
        .containsEntry("http.route", "/v1/chat/completions")
        .containsEntry("gen_ai.request.model", Stack.MODEL)
        .containsKeys("gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens");
  }

  @Test
  void logFieldsCanBeQueried() {
    String trace = newTrace();
    ask("Say hello.", false, trace);

    String query =
        "{service_name=\"jarvis-api\"} | trace_id=\"%s\" | method=\"POST\" | path=\"/v1/chat/completions\" | user_id=\"admin\" | status=\"200\" | end_user=\"end-user-of-e2e\" | request_id!=\"\" | route=\"/v1/chat/completions\" | duration_ms>0"
            .formatted(trace);
    await()
        .atMost(LIMIT)
        .untilAsserted(
            () ->
                assertThat(Stack.logs(query))
                    .extracting(it -> it.path("text").asText())
                    .containsExactly("request_completed"));
  }

  @Test
  void anExemplarLeadsFromTheHistogramToTheTrace() {
    await()
        .atMost(LIMIT)
        .pollInterval(Duration.ofSeconds(2))
        .untilAsserted(
            () -> {
              String trace = newTrace();
              ask("Say hello.", false, trace);
              List<String> traces =
                  Stack.exemplars(
                          "http_request_duration_seconds_bucket{route=\"/v1/chat/completions\"}")
                      .stream()
                      .map(it -> it.path("labels").path("trace_id").asText())
                      .toList();
              assertThat(traces).isNotEmpty();
              assertThat(traces).anyMatch(it -> !Stack.jaeger(it).isEmpty());
            });
    assertThat(Stack.exemplars("llm_request_duration_seconds_bucket")).isNotEmpty();
  }

  @Test
  void bothTelemetryPathsAgreeWithoutTraffic() {
    ask("Say hello.", false, newTrace());
    ask("Say hello.", true, newTrace());
    Stack.send(Stack.api("/v1/nowhere").build());

    // without the scrapes of /metrics, which never pause
    String counters =
        "{__name__=~\"(http|llm|db_client|object_store|ledger)_.*_(total|bucket|count)\","
            + "instance=\"127.0.0.1:8000\",job=\"jarvis-api\",route!~\"/metrics|/health.*\",telemetry_path=\"%s\"}";
    await()
        .atMost(LIMIT)
        .pollInterval(Duration.ofSeconds(2))
        .untilAsserted(
            () -> {
              Map<String, Double> scraped = series(counters.formatted("scrape"));
              Map<String, Double> pushed = series(counters.formatted("otlp"));
              assertThat(scraped.keySet())
                  .anyMatch(it -> it.contains("llm_requests_total"))
                  .anyMatch(it -> it.contains("http_request_duration_seconds_bucket"));
              assertThat(pushed).isEqualTo(scraped);
            });
  }

  private static Map<String, Double> series(String selector) {
    // the last 15 s, because pushed series of a process that ended remain for five minutes
    return Stack.prometheus(selector + "[15s]").stream()
        .collect(
            Collectors.toMap(
                it -> {
                  Map<String, String> labels = new TreeMap<>();
                  it.path("metric")
                      .properties()
                      .forEach(label -> labels.put(label.getKey(), label.getValue().asText()));
                  labels.remove("telemetry_path");
                  return labels.toString();
                },
                Stack::value));
  }

  @Test
  void noBackendStoresThePromptTheAnswerOrTheKey() throws IOException {
    String marker = "marker" + newTrace();
    String trace = newTrace();
    HttpResponse<String> answer = ask("Repeat: " + marker, false, trace);
    String text = Stack.answer(answer);
    assertFoundByTrace(trace);

    String everyLine = Stack.logs("{service_name=~\".+\"}").toString();
    assertThat(everyLine).contains(trace);
    String span = Stack.jaeger(trace).toString();
    String series =
        Stack.get("http://127.0.0.1:9090/api/v1/series?match[]=%7Bjob%3D%22jarvis-api%22%7D")
            .body();
    assertThat(series).contains("llm_requests_total");
    for (String backend : List.of(everyLine, span, series)) {
      assertThat(backend).doesNotContain(marker, text, Stack.key());
    }
    try (Stream<Path> files = Files.walk(Stack.home().resolve("logs"))) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        assertThat(Files.readString(file, StandardCharsets.ISO_8859_1))
            .as(file.toString())
            .doesNotContain(marker, text, Stack.key());
      }
    }
  }
}
