package dev.jarvis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.jarvis.provider.ollama.FakeOllama;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What must end the process, and what must not delay it. */
@Timeout(300)
class ProcessEndTest {
  /** Each logs two lines, together several times the capacity of a pipe (64 KiB). */
  private static final int REQUESTS = 400;

  @TempDir Path folder;

  @Test
  void anUnreadStdoutDelaysNoRequestAndNoShutdown() throws Exception {
    try (FakeOllama ollama = FakeOllama.start();
        ServiceProcess service = start(List.of(), ollama)) {
      service.awaitReady();

      for (int i = 0; i < REQUESTS; i++) {
        assertThat(service.get("/v1/models").statusCode()).isEqualTo(200);
      }

      assertThat(service.get("/health/live").statusCode()).isEqualTo(200);
      assertThat(service.get("/metrics").body()).contains("log_lines_dropped_total 0");
      service.terminate();
      assertThat(service.exitCode()).isZero();
      assertThat(service.servers())
          .extracting(it -> it.info().commandLine().orElse("ended by now"))
          .as("embedded servers that still run")
          .isEmpty();
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
                    "JARVIS_SERVER_BODY_BUDGET", // larger than the heap
                    Long.toString(1L << 40)))) {
      service.awaitReady();
      // as a tree of nodes it takes thirty times its bytes
      String body = "{\"model\":\"m\",\"x\":[" + "{},".repeat(1_300_000) + "{}]}";

      assertThatThrownBy(() -> service.chat(body)).isInstanceOf(IOException.class);
      assertThat(service.exitCode()).isEqualTo(3);
    }
  }

  /** The JVM notices a failed allocation of any thread, the request handler only its own. */
  @Test
  void everyWayToStartTheServiceSetsTheJvmOption() throws Exception {
    for (String file : List.of("Dockerfile", "../Makefile", "../stack/native/stack.py")) {
      assertThat(Files.readString(Path.of(file))).as(file).contains("-XX:+ExitOnOutOfMemoryError");
    }
  }

  /** The Redis client is missing, which is noticed after PostgreSQL and telemetry have started. */
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
      assertThat(service.servers())
          .extracting(it -> it.info().commandLine().orElse("ended by now"))
          .as("embedded servers that still run")
          .isEmpty();
    }
  }

  private ServiceProcess start(List<String> javaOptions, FakeOllama ollama) throws IOException {
    return ServiceProcess.start(
        folder, javaOptions, Map.of("JARVIS_OLLAMA_URL", ollama.uri().toString()));
  }
}
