package dev.jarvis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.jarvis.provider.ollama.FakeOllama;
import java.io.File;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpRequest;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What must end the process, and what must neither end it nor hold it up. */
@Timeout(300)
class ProcessEndTest {
  /** Two lines each: several times what a pipe holds (64 KiB). */
  private static final int REQUESTS = 400;

  @TempDir Path folder;

  @Test
  void aStdoutThatNobodyReadsHoldsUpNoRequestAndNoEnd() throws Exception {
    try (FakeOllama ollama = FakeOllama.start();
        ServiceProcess service = start(List.of(), ollama)) {
      URI base = service.awaitReady();

      for (int i = 0; i < REQUESTS; i++) {
        assertThat(service.send(get(base, "/v1/models")).statusCode()).isEqualTo(200);
      }

      assertThat(service.send(get(base, "/health/live")).statusCode()).isEqualTo(200);
      assertThat(service.send(get(base, "/metrics")).body()).contains("log_lines_dropped_total 0");
      service.terminate();
      assertThat(service.exitCode()).isZero();
      assertThat(service.servers()).as("the embedded servers ended with it").isEmpty();
    }
  }

  @Test
  void anOutOfMemoryErrorEndsTheProcess() throws Exception {
    try (FakeOllama ollama = FakeOllama.start();
        ServiceProcess service =
            ServiceProcess.start(
                folder,
                List.of("-Xmx96m"),
                Map.of(
                    "JARVIS_OLLAMA_URL",
                    ollama.uri().toString(),
                    "JARVIS_SERVER_BODY_BUDGET", // more than there is
                    Long.toString(1L << 40)))) {
      URI base = service.awaitReady();
      // as a tree it takes thirty times its bytes
      String body = "{\"model\":\"m\",\"x\":[" + "{},".repeat(1_300_000) + "{}]}";

      assertThatThrownBy(
              () ->
                  service.send(
                      HttpRequest.newBuilder(base.resolve("/v1/chat/completions"))
                          .POST(HttpRequest.BodyPublishers.ofString(body))))
          .isInstanceOf(IOException.class);
      assertThat(service.exitCode()).isEqualTo(3);
    }
  }

  /** The JVM sees allocations that fail on every thread, the handler of requests only its own. */
  @Test
  void everyWayToStartTheServiceHasTheJvmEndIt() throws Exception {
    for (String file : List.of("Dockerfile", "../Makefile", "../stack/native/stack.py")) {
      assertThat(Files.readString(Path.of(file))).as(file).contains("-XX:+ExitOnOutOfMemoryError");
    }
  }

  /** Redis' client is missing, which shows when PostgreSQL and telemetry run already. */
  @Test
  void anErrorAtStartEndsTheProcess() throws Exception {
    String classPath =
        Stream.of(System.getProperty("java.class.path").split(File.pathSeparator, -1))
            .filter(it -> !it.contains("lettuce-core"))
            .collect(Collectors.joining(File.pathSeparator));
    try (FakeOllama ollama = FakeOllama.start();
        ServiceProcess service = start(List.of("-cp", classPath), ollama)) {
      assertThat(service.output()).contains("start failed", "NoClassDefFoundError");
      assertThat(service.exitCode()).isEqualTo(1);
      assertThat(service.servers()).as("the embedded servers ended with it").isEmpty();
    }
  }

  private ServiceProcess start(List<String> javaOptions, FakeOllama ollama) throws IOException {
    return ServiceProcess.start(
        folder, javaOptions, Map.of("JARVIS_OLLAMA_URL", ollama.uri().toString()));
  }

  private static HttpRequest.Builder get(URI base, String path) {
    return HttpRequest.newBuilder(base.resolve(path));
  }
}
