package dev.jarvis.telemetry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.sun.net.httpserver.HttpServer;
import dev.jarvis.TestService;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * All three signals leave the process by OTLP: with a broken sender every export fails, and nothing
 * else shows it.
 */
class OtlpExportTest {
  private static final String TRACE = "0af7651916cd43dd8448eb211c80319c";

  private final Map<String, String> received = new ConcurrentHashMap<>();
  private HttpServer sink;

  @BeforeEach
  void start() throws IOException {
    sink = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    sink.createContext(
        "/",
        exchange -> {
          byte[] body = exchange.getRequestBody().readAllBytes();
          if ("gzip".equals(exchange.getRequestHeaders().getFirst("Content-Encoding"))) {
            try (InputStream in = new GZIPInputStream(new ByteArrayInputStream(body))) {
              body = in.readAllBytes();
            }
          }
          String text = new String(body, StandardCharsets.ISO_8859_1);
          received.merge(exchange.getRequestURI().getPath(), text, String::concat);
          exchange.sendResponseHeaders(200, -1);
          exchange.close();
        });
    sink.start();
    System.setProperty(
        "otel.exporter.otlp.endpoint", "http://127.0.0.1:" + sink.getAddress().getPort());
    System.setProperty("otel.metric.export.interval", "200");
    exporters("otlp");
  }

  @AfterEach
  void stop() {
    sink.stop(0);
    System.clearProperty("otel.exporter.otlp.endpoint");
    System.clearProperty("otel.metric.export.interval");
    exporters("none"); // as the build configures it for all tests
  }

  private static void exporters(String name) {
    for (String signal : new String[] {"traces", "metrics", "logs"}) {
      System.setProperty("otel." + signal + ".exporter", name);
    }
  }

  @Test
  void tracesMetricsAndLogsArrive() throws Exception {
    try (TestService service = TestService.start(Map.of())) {
      service.get("/v1/models", "traceparent", "00-" + TRACE + "-00f067aa0ba902b7-00");

      await()
          .atMost(Duration.ofSeconds(20))
          .untilAsserted(
              () -> {
                assertThat(received.getOrDefault("/v1/traces", ""))
                    .contains("GET /v1/models", "jarvis-api", "service.instance.id");
                assertThat(received.getOrDefault("/v1/metrics", ""))
                    .contains("http.requests", "llm.requests", "jarvis-api");
                assertThat(received.getOrDefault("/v1/logs", ""))
                    .contains("request_started", "request_completed", "request_id", "route");
              });
      byte[] trace = java.util.HexFormat.of().parseHex(TRACE);
      String raw = new String(trace, StandardCharsets.ISO_8859_1);
      assertThat(received.get("/v1/traces")).as("the client's trace continues").contains(raw);
      assertThat(received.get("/v1/logs")).as("log lines have the trace id").contains(raw);
      assertThat(String.join("", received.values())).doesNotContain(TestService.KEY);
    }
  }
}
