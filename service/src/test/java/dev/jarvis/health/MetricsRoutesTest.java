package dev.jarvis.health;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import dev.jarvis.TestService;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

class MetricsRoutesTest {
  private static final String OPEN_METRICS = "application/openmetrics-text; version=1.0.0";
  private final TestService service = TestService.shared();

  @Test
  void plainPrometheusTextIsTheDefault() {
    HttpResponse<String> response = service.get("/metrics");

    assertThat(response.headers().firstValue("Content-Type").orElse(""))
        .startsWith("text/plain; version=0.0.4");
    assertThat(response.body()).doesNotContain("# EOF", "trace_id", "otel_scope");
  }

  @Test
  void openMetricsWithExemplarsIsReturnedIfAccepted() {
    String trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    service.get("/v1/models", "traceparent", "00-" + trace + "-00f067aa0ba902b7-01");

    HttpResponse<String> response = service.get("/metrics", "Accept", OPEN_METRICS);

    assertThat(response.headers().firstValue("Content-Type").orElse("")).startsWith(OPEN_METRICS);
    assertThat(response.body()).endsWith("# EOF\n");
    assertThat(
            response
                .body()
                .lines()
                .filter(it -> it.startsWith("http_request_duration_seconds_bucket"))
                .filter(it -> it.contains("route=\"/v1/models\"")))
        .anyMatch(it -> it.contains("trace_id=\"" + trace + "\""));
  }

  @Test
  void gzipIsUsedWhenAccepted() throws Exception {
    HttpResponse<byte[]> response = raw("gzip");

    assertThat(response.headers().firstValue("Content-Encoding")).contains("gzip");
    String text =
        new String(
            new GZIPInputStream(new ByteArrayInputStream(response.body())).readAllBytes(),
            StandardCharsets.UTF_8);
    assertThat(text).contains("http_requests_total");
    assertThat(raw("gzip;q=0").headers().firstValue("Content-Encoding")).isEmpty();
    assertThat(raw("identity").headers().firstValue("Content-Encoding")).isEmpty();
  }

  @Test
  void junkPathsMethodsAndModelsAddNoSeries() {
    Logger requests = (Logger) LoggerFactory.getLogger("dev.jarvis.request");
    requests.setLevel(Level.WARN); // instead of 20,000 lines
    try {
      junk(0, 50);
      long before = series();
      junk(50, 10_000);

      assertThat(series()).isEqualTo(before);
    } finally {
      requests.setLevel(null);
    }
  }

  @Test
  void aConfiguredTokenIsRequiredForMetricsAndHealth() throws Exception {
    try (TestService guarded = TestService.start(Map.of("JARVIS_METRICS_TOKEN", "t0ken"))) {
      assertThat(guarded.get("/metrics").statusCode()).isEqualTo(401);
      assertThat(guarded.get("/health").statusCode()).isEqualTo(401);
      assertThat(guarded.get("/metrics", "Authorization", "Bearer t0ken").statusCode())
          .isEqualTo(200);
    }
  }

  private void junk(int from, int to) {
    for (int i = from; i < to; i++) {
      switch (i % 3) {
        case 0 -> service.get("/junk/" + i);
        case 1 -> service.get("/v1/models/junk-" + i);
        default ->
            service.chat(
                "{\"model\":\"junk-%d\",\"messages\":[{\"role\":\"user\",\"content\":\"x\"}]}"
                    .formatted(i));
      }
    }
  }

  private long series() {
    return service
        .get("/metrics")
        .body()
        .lines()
        .filter(it -> it.startsWith("http_") || it.startsWith("llm_"))
        .count();
  }

  private HttpResponse<byte[]> raw(String encoding) throws IOException, InterruptedException {
    HttpRequest request =
        HttpRequest.newBuilder(service.uri("/metrics")).header("Accept-Encoding", encoding).build();
    try (HttpClient client = HttpClient.newHttpClient()) {
      return client.send(request, HttpResponse.BodyHandlers.ofByteArray());
    }
  }
}
