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
import java.nio.file.Files;
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

/** The process as an operator sees it: its exit codes, its first words, its end. */
class MainTest {
  private static final Pattern PORT = Pattern.compile("http://127\\.0\\.0\\.1:(\\d+)");
  @TempDir Path folder;

  @Test
  void badConfigurationIsToldWholeAndExitsWith1() throws Exception {
    Process process = start(Map.of("JARVIS_SERVER_PORT", "x", "JARVIS_HOMME", "y"));

    assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
    assertThat(process.exitValue()).isEqualTo(1);
    assertThat(errors())
        .contains("3 problems", "JARVIS_SERVER_PORT", "JARVIS_HOMME", "JARVIS_OLLAMA_URL");
  }

  @Test
  void sigtermLetsRunningAnswersEndAndExitsWith0() throws Exception {
    try (FakeOllama ollama = FakeOllama.start()) {
      ollama.hold();
      Process process = start(Map.of("JARVIS_OLLAMA_URL", ollama.uri().toString()));
      try {
        String base = awaitReady(process);
        String key = keyShown();
        CompletableFuture<HttpResponse<String>> answer = chat(base, key, ollama.model());
        await().atMost(Duration.ofSeconds(20)).until(() -> ollama.requests() > 0);
        List<Socket> idle = idleConnections(URI.create(base), key);

        process.destroy();
        ollama.release();

        assertThat(answer.get(60, TimeUnit.SECONDS).body()).contains("data: [DONE]");
        assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
        assertThat(process.exitValue()).isZero();
        assertThat(Files.readString(output()))
            .contains("request_completed")
            .doesNotContain(key)
            .as("a stop is no error, and makes no request of what a client has begun")
            .doesNotContain("\"level\":\"ERROR\"", "_OTHER", "_unmatched", "\"status\":500")
            .contains("\"status\":499");
        for (Socket one : idle) {
          one.close();
        }
      } finally {
        process.destroyForcibly();
      }
    }
  }

  /**
   * Nothing sent; a request answered; that and the beginning of another; half a head; half a body.
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

  private static CompletableFuture<HttpResponse<String>> chat(
      String base, String key, String model) {
    String body =
        "{\"model\":\"%s\",\"stream\":true,\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}"
            .formatted(model);
    return HttpClient.newHttpClient()
        .sendAsync(
            HttpRequest.newBuilder(URI.create(base + "/v1/chat/completions"))
                .header("Authorization", "Bearer " + key)
                .POST(HttpRequest.BodyPublishers.ofString(body))
                .build(),
            HttpResponse.BodyHandlers.ofString());
  }

  private Process start(Map<String, String> environment) throws IOException {
    ProcessBuilder builder =
        new ProcessBuilder(Programs.java(Main.class))
            .redirectOutput(output().toFile())
            .redirectError(folder.resolve("stderr").toFile());
    builder
        .environment()
        .keySet()
        .removeIf(it -> it.startsWith("JARVIS_") || it.startsWith("OTEL_"));
    if (!environment.containsKey("JARVIS_SERVER_PORT")) {
      builder.environment().put("JARVIS_SERVER_PORT", "0");
      builder.environment().put("JARVIS_HOME", folder.resolve("home").toString());
    }
    builder.environment().put("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1");
    builder.environment().putAll(environment);
    return builder.start();
  }

  private String awaitReady(Process process) {
    return await()
        .atMost(Duration.ofMinutes(3))
        .until(
            () -> {
              assertThat(process.isAlive()).as(errors()).isTrue();
              String text = Files.readString(output());
              Matcher matcher = PORT.matcher(text);
              return text.contains("\"ready\"") && matcher.find() ? matcher.group() : "";
            },
            it -> !it.isEmpty());
  }

  private String keyShown() throws IOException {
    Matcher matcher = Pattern.compile("sk-jarvis-\\S+").matcher(errors());
    assertThat(matcher.find()).isTrue();
    return matcher.group();
  }

  private Path output() {
    return folder.resolve("stdout");
  }

  private String errors() throws IOException {
    return Files.readString(folder.resolve("stderr"));
  }
}
