package dev.jarvis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.jarvis.provider.ollama.FakeOllama;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
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

/** Bodies that would fill the heap many times over, all at once. */
@Timeout(120)
class ManyBodiesTest {
  private static final int CLIENTS = 32;
  private static final Duration LIMIT = Duration.ofSeconds(20);

  @TempDir Path folder;

  @Test
  void areRefusedAndHarmNobody() throws Exception {
    try (FakeOllama ollama = FakeOllama.start();
        ServiceProcess service =
            ServiceProcess.start(
                folder,
                List.of("-Xmx256m"),
                Map.of("JARVIS_OLLAMA_URL", ollama.uri().toString()))) {
      URI base = service.awaitReady();
      List<Future<HttpResponse<String>>> answers = new ArrayList<>();
      try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
        for (int i = 0; i < CLIENTS; i++) {
          String body = objects(i % 2 == 0 ? 1_398_000 : 90_000); // 4 MiB are 120 MiB as a tree
          answers.add(threads.submit(() -> chat(service, base, body)));
        }
        while (answers.stream().anyMatch(it -> !it.isDone())) {
          assertThat(get(service, base, "/health/live").statusCode()).isEqualTo(200);
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
                  get(service, base, "/metrics")
                      .body()
                      .contains("\nhttp_request_body_reserved_bytes 0"));
      await()
          .atMost(LIMIT)
          .until(() -> get(service, base, "/v1/models").body().contains(ollama.model()));
      String question =
          "{\"model\":\"%s\",\"messages\":[{\"role\":\"user\",\"content\":\"%s\"}]}"
              .formatted(ollama.model(), "hi ".repeat(1_000_000));
      assertThat(chat(service, base, question).statusCode()).isEqualTo(200);
    }
  }

  private static String objects(int count) {
    return "{\"model\":\"m\",\"x\":[" + "{},".repeat(count - 1) + "{}]}";
  }

  private static HttpResponse<String> chat(ServiceProcess service, URI base, String body)
      throws IOException, InterruptedException {
    return service.send(
        HttpRequest.newBuilder(base.resolve("/v1/chat/completions"))
            .POST(BodyPublishers.ofString(body)));
  }

  private static HttpResponse<String> get(ServiceProcess service, URI base, String path)
      throws IOException, InterruptedException {
    return service.send(HttpRequest.newBuilder(base.resolve(path)));
  }
}
