package dev.jarvis.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import java.net.URI;
import java.net.http.HttpRequest;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/** The collector masks secrets in telemetry, but not token counts. */
class RedactionIT {
  private static final Duration LIMIT = Duration.ofSeconds(60);
  private static final String SECRET = "sk-e2e" + UUID.randomUUID().toString().replace("-", "");
  private static final String PASSWORD = "hunter2" + UUID.randomUUID();

  private final String trace = UUID.randomUUID().toString().replace("-", "");
  private final long nanos = Instant.now().toEpochMilli() * 1_000_000L;

  @Test
  void secretsAreMaskedInLogBodiesAndAttributes() {
    send(
        "/v1/logs",
        """
        {"resourceLogs": [{"resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "redaction-test"}}]},
          "scopeLogs": [{"logRecords": [{"timeUnixNano": "%d", "traceId": "%s", "spanId": "00f067aa0ba902b7",
            "body": {"stringValue": "calling with %s at postgres://u:%s@db/x"},
            "attributes": [{"key": "password", "value": {"stringValue": "%s"}}]}]}]}]}
        """
            .formatted(nanos, trace, SECRET, PASSWORD, PASSWORD));

    String query = "{service_name=\"redaction-test\"} | trace_id=\"" + trace + "\"";
    await().atMost(LIMIT).until(() -> !Stack.logs(query).isEmpty());
    assertThat(Stack.logs(query).toString())
        .contains("calling with")
        .doesNotContain(SECRET, PASSWORD);
  }

  @Test
  void secretsAreMaskedInSpansAndTokenCountsSurvive() {
    send(
        "/v1/traces",
        """
        {"resourceSpans": [{"resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "redaction-test"}}]},
          "scopeSpans": [{"spans": [{"traceId": "%s", "spanId": "00f067aa0ba902b7", "kind": 2,
            "startTimeUnixNano": "%d", "endTimeUnixNano": "%d", "name": "GET postgres://u:%s@db/x",
            "status": {"code": 2, "message": "bad key %s"},
            "attributes": [{"key": "http.request.header.authorization", "value": {"stringValue": "Bearer %s"}},
              {"key": "gen_ai.usage.input_tokens", "value": {"intValue": "42"}}]}]}]}]}
        """
            .formatted(trace, nanos, nanos + 1_000_000, PASSWORD, SECRET, SECRET));

    await().atMost(LIMIT).until(() -> !Stack.jaeger(trace).isEmpty());
    List<JsonNode> spans = Stack.jaeger(trace);
    assertThat(spans.toString())
        .contains("gen_ai.usage.input_tokens", "42")
        .doesNotContain(SECRET, PASSWORD);
  }

  private static void send(String path, String body) {
    HttpRequest request =
        HttpRequest.newBuilder(URI.create("http://127.0.0.1:4318" + path))
            .header("Content-Type", "application/json")
            .POST(HttpRequest.BodyPublishers.ofString(body))
            .build();
    assertThat(Stack.send(request).statusCode()).isEqualTo(200);
  }
}
