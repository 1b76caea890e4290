package dev.jarvis.dialect.openai;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.jarvis.TestService;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Two replicas over one PostgreSQL and one Redis. */
@Timeout(60)
class ReplicasTest {
  private static final Duration LIMIT = Duration.ofSeconds(30);

  @TempDir private static Path folder;
  private static TestService first;
  private static TestService second;

  @BeforeAll
  static void start() throws Exception {
    Path file = folder.resolve("jarvis.yaml");
    Files.writeString(
        file,
        "routes: [{name: ours, cache: shared, targets: [{provider: ollama, model: \"fake:1b\"}]}]");
    Map<String, String> settings = Map.of("JARVIS_CONFIG", file.toString());
    first = TestService.start(settings);
    second = first.replica(settings);
    first.awaitModel("fake:1b");
    second.awaitModel("fake:1b");
  }

  @AfterAll
  static void stop() {
    second.close();
    first.close();
  }

  @BeforeEach
  void reset() {
    first.ollama().reset();
  }

  private static HttpResponse<String> ask(TestService replica, String user, String id) {
    HttpResponse<String> response =
        replica.chat(
            """
            {"model": "ours", "temperature": 0, "user": "%s", "messages": [{"role": "user", "content": "%s"}]}"""
                .formatted(user, "question " + id.substring(0, 1)),
            "x-request-id",
            id);
    assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
    return response;
  }

  private static List<String> outcomes() throws SQLException {
    return first
        .database()
        .rows("SELECT outcome, request_id FROM ledger_entries ORDER BY request_id")
        .stream()
        .map(it -> it.get("request_id") + " " + it.get("outcome"))
        .toList();
  }

  @Test
  void shareAnswersUsersAndTheLedger() {
    HttpResponse<String> miss = ask(first, "ann", "a1");
    HttpResponse<String> hit = ask(second, "bob", "a2");
    HttpResponse<String> other = ask(second, "bob", "b1");
    HttpResponse<String> back = ask(first, "eve", "b2");

    assertThat(List.of(cache(miss), cache(hit), cache(other), cache(back)))
        .containsExactly("miss", "hit", "miss", "hit");
    assertThat(TestService.json(hit.body()).path("choices"))
        .isEqualTo(TestService.json(miss.body()).path("choices"));
    assertThat(first.ollama().requests()).isEqualTo(2);
    await()
        .atMost(LIMIT)
        .untilAsserted(
            () ->
                assertThat(outcomes()).containsExactly("a1 ok", "a2 cached", "b1 ok", "b2 cached"));
    for (TestService each : List.of(first, second)) {
      await().atMost(LIMIT).until(() -> each.metric("active_users") == 3);
    }
  }

  private static String cache(HttpResponse<String> response) {
    return response.headers().firstValue("x-jarvis-cache").orElse("none");
  }
}
