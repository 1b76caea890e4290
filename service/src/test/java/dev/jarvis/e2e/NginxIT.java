package dev.jarvis.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.jarvis.TestService;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Debian's nginx in front of the service: as it is installed, and as docs/dialect.md advises. */
class NginxIT {
  private static final HttpClient CLIENT =
      HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

  private static TestService service;
  private static Path folder;
  private static Process nginx;
  private static int plain;
  private static int advised;

  @BeforeAll
  static void start() throws Exception {
    service = TestService.shared();
    service.awaitModel(service.ollama().model());
    folder = Files.createTempDirectory("jarvis-nginx");
    plain = freePort();
    advised = freePort();
    Files.writeString(
        folder.resolve("nginx.conf"),
        """
        daemon off;
        master_process off;
        pid FOLDER/pid;
        error_log FOLDER/error.log;
        events {}
        http {
          access_log off;
          client_body_temp_path FOLDER/body;
          proxy_temp_path FOLDER/proxy;
          fastcgi_temp_path FOLDER/fastcgi;
          uwsgi_temp_path FOLDER/uwsgi;
          scgi_temp_path FOLDER/scgi;
          server {
            listen 127.0.0.1:PLAIN;
            location / { proxy_pass http://127.0.0.1:SERVICE; }
          }
          server {
            listen 127.0.0.1:ADVISED;
            location / {
              proxy_pass http://127.0.0.1:SERVICE;
              proxy_http_version 1.1;
              proxy_set_header Connection "";
            }
          }
        }
        """
            .replace("FOLDER", folder.toString())
            .replace("PLAIN", Integer.toString(plain))
            .replace("ADVISED", Integer.toString(advised))
            .replace("SERVICE", Integer.toString(service.port())));
    nginx =
        new ProcessBuilder(
                "/usr/sbin/nginx",
                "-c",
                folder.resolve("nginx.conf").toString(),
                "-e",
                folder.resolve("error.log").toString())
            .inheritIO()
            .start();
    await().atMost(Duration.ofSeconds(20)).until(() -> listens(plain) && listens(advised));
  }

  @AfterAll
  static void stop() throws Exception {
    nginx.destroy();
    if (!nginx.waitFor(20, TimeUnit.SECONDS)) {
      nginx.destroyForcibly().waitFor();
    }
    try (Stream<Path> files = Files.walk(folder)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"/health", "/v1/models"})
  void asItIsInstalledItIsToldWhatToSet(String path) throws Exception {
    HttpResponse<String> response =
        CLIENT.send(request(plain, path).build(), HttpResponse.BodyHandlers.ofString());

    assertThat(response.statusCode()).isEqualTo(505);
    assertThat(response.body()).contains("http_version_not_supported");
    assertThat(TestService.json(response.body()).at("/error/message").asText())
        .isEqualTo(
            "The request uses HTTP/1.0; this server speaks HTTP/1.1 only. If it came through nginx, set \"proxy_http_version 1.1;\" there.");
  }

  @Test
  void withThatSettingItPassesRequestsOn() throws Exception {
    HttpResponse<String> models =
        CLIENT.send(request(advised, "/v1/models").build(), HttpResponse.BodyHandlers.ofString());
    HttpResponse<String> chat = CLIENT.send(chat(false), HttpResponse.BodyHandlers.ofString());

    assertThat(models.statusCode()).isEqualTo(200);
    assertThat(chat.statusCode()).as(chat.body()).isEqualTo(200);
    assertThat(TestService.json(chat.body()).at("/choices/0/message/content").asText())
        .isEqualTo(service.ollama().answer());
    assertThat(chat.headers().firstValue("x-jarvis-model")).hasValue(service.ollama().model());
  }

  @Test
  void withThatSettingStreamsAreNotBuffered() throws Exception {
    service.ollama().hold();
    try {
      HttpResponse<InputStream> response =
          CLIENT.send(chat(true), HttpResponse.BodyHandlers.ofInputStream());
      try (BufferedReader lines =
          new BufferedReader(new InputStreamReader(response.body(), StandardCharsets.UTF_8))) {
        String first = lines.readLine(); // arrives while the model pauses

        assertThat(first).startsWith("data: {").contains("chat.completion.chunk");
        service.ollama().release();
        assertThat(lines.lines().filter(it -> !it.isEmpty())).last().isEqualTo("data: [DONE]");
      }
    } finally {
      service.ollama().reset();
    }
  }

  private static HttpRequest chat(boolean stream) {
    return request(advised, "/v1/chat/completions")
        .header("Content-Type", "application/json")
        .POST(
            HttpRequest.BodyPublishers.ofString(
                "{\"model\":\"%s\",\"stream\":%s,\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}"
                    .formatted(service.ollama().model(), stream)))
        .build();
  }

  private static HttpRequest.Builder request(int port, String path) {
    return HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + path))
        .timeout(Duration.ofSeconds(30))
        .header("Authorization", "Bearer " + TestService.KEY);
  }

  private static boolean listens(int port) {
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
      return socket.isConnected();
    } catch (IOException e) {
      return false;
    }
  }

  private static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }
}
