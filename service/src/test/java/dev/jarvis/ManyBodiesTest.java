package dev.jarvis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.jarvis.provider.ollama.FakeOllama;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Many concurrent bodies that together are much larger than the heap. */
@Timeout(120)
class ManyBodiesTest {
  private static final int CLIENTS = 32;
  private static final Duration LIMIT = Duration.ofSeconds(20);

  @TempDir Path folder;

  @Test
  void areRefusedWithoutHarmToOtherRequests() throws Exception {
    try (FakeOllama ollama = FakeOllama.start();
        ServiceProcess service =
            ServiceProcess.start(
                folder,
                List.of("-Xmx256m"),
                Map.of("JARVIS_OLLAMA_URL", ollama.uri().toString()))) {
      service.awaitReady();
      List<Future<HttpResponse<String>>> answers = new ArrayList<>();
      try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
        for (int i = 0; i < CLIENTS; i++) {
          String body =
              objects(i % 2 == 0 ? 1_398_000 : 90_000); // 4 MiB take 120 MiB as a tree of nodes
          answers.add(threads.submit(() -> service.chat(body)));
        }
        while (answers.stream().anyMatch(it -> !it.isDone())) {
          assertThat(service.get("/health/live").statusCode()).isEqualTo(200);
        }
      }

      for (Future<HttpResponse<String>> answer : answers) {
        assertThat(answer.get().statusCode()).as(answer.get().body()).isIn(400, 413, 503);
        assertThat(answer.get().body())
            .containsAnyOf("\"overloaded\"", "\"body_too_large\"", "'messages'");
      }
      await()
          .atMost(LIMIT)
          .until(
              () ->
                  service.get("/metrics").body().contains("\nhttp_request_body_reserved_bytes 0"));
      await().atMost(LIMIT).until(() -> service.get("/v1/models").body().contains(ollama.model()));
      String question =
          "{\"model\":\"%s\",\"messages\":[{\"role\":\"user\",\"content\":\"%s\"}]}"
              .formatted(ollama.model(), "hi ".repeat(1_000_000));
      assertThat(service.chat(question).statusCode()).isEqualTo(200);
    }
  }

  private static String objects(int count) {
    return "{\"model\":\"m\",\"x\":[" + "{},".repeat(count - 1) + "{}]}";
  }
}
