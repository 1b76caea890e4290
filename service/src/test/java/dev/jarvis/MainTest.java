package dev.jarvis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.jarvis.provider.ollama.FakeOllama;
import java.io.IOException;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The process as an operator sees it: its exit codes, its output and its shutdown. */
class MainTest {
  @TempDir Path folder;

  @Test
  void anInvalidConfigurationIsReportedCompletelyAndExitsWith1() throws Exception {
    try (ServiceProcess service =
        ServiceProcess.start(
            folder, List.of(), Map.of("JARVIS_SERVER_PORT", "x", "JARVIS_HOMME", "y"))) {
      assertThat(service.exitCode()).isEqualTo(1);
      assertThat(service.errors())
          .contains("3 problems", "JARVIS_SERVER_PORT", "JARVIS_HOMME", "JARVIS_OLLAMA_URL");
    }
  }

  @Test
  void sigtermLetsRequestsInProgressFinishAndExitsWith0() throws Exception {
    try (FakeOllama ollama = FakeOllama.start();
        ServiceProcess service =
            ServiceProcess.start(
                folder,
                List.of(),
                Map.of(
                    "JARVIS_API_KEY", "",
                    "JARVIS_OLLAMA_URL", ollama.uri().toString(),
                    "OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1"))) {
      ollama.hold();
      service.awaitReady();
      String key = generatedKey(service);
      CompletableFuture<HttpResponse<String>> answer = chat(service.uri(), key, ollama.model());
      await().atMost(Duration.ofSeconds(20)).until(() -> ollama.requests() > 0);
      List<Socket> idle = idleConnections(service.uri(), key);

      service.terminate();
      ollama.release();

      assertThat(answer.get(60, TimeUnit.SECONDS).body()).contains("data: [DONE]");
      assertThat(service.output())
          .contains("request_completed")
          .doesNotContain(key)
          .as("the shutdown logs no error, and no request that a client has not sent completely")
          .doesNotContain("\"level\":\"ERROR\"", "_OTHER", "_unmatched", "\"status\":500")
          .contains("\"status\":499");
      assertThat(service.exitCode()).isZero();
      for (Socket one : idle) {
        one.close();
      }
    }
  }

  /**
   * Opens connections that have sent nothing, a complete request, the same and the beginning of
   * another, half a header, and half a body.
   */
  private static List<Socket> idleConnections(URI base, String key) throws IOException {
    String request = "GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n";
    String half =
        "POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Length: 9\r\n\r\n{"
            .formatted(key);
    List<Socket> open = new ArrayList<>();
    for (String sent : List.of("", request, request + "GET /hea", "GET / HTTP/1.1\r\nHo", half)) {
      Socket socket = new Socket(base.getHost(), base.getPort());
      socket.setSoTimeout(10_000);
      socket.getOutputStream().write(sent.getBytes(StandardCharsets.US_ASCII));
      if (sent.startsWith(request)) {
        assertThat(new String(socket.getInputStream().readNBytes(12), StandardCharsets.US_ASCII))
            .isEqualTo("HTTP/1.1 200");
      }
      open.add(socket);
    }
    return open;
  }

  private static CompletableFuture<HttpResponse<String>> chat(URI base, String key, String model) {
    String body =
        "{\"model\":\"%s\",\"stream\":true,\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}"
            .formatted(model);
    return HttpClient.newHttpClient()
        .sendAsync(
            HttpRequest.newBuilder(base.resolve("/v1/chat/completions"))
                .header("Authorization", "Bearer " + key)
                .POST(HttpRequest.BodyPublishers.ofString(body))
                .build(),
            HttpResponse.BodyHandlers.ofString());
  }

  private static String generatedKey(ServiceProcess service) throws IOException {
    Matcher matcher = Pattern.compile("sk-jarvis-\\S+").matcher(service.errors());
    assertThat(matcher.find()).isTrue();
    return matcher.group();
  }
}
