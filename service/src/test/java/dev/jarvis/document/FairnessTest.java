package dev.jarvis.document;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.jarvis.TestService;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** One user with many uploads or searches, and another with one; a permit for each kind. */
@Timeout(60)
class FairnessTest {
  private static final Duration LIMIT = Duration.ofSeconds(20);
  private static final String BOB = "sk-test-key-of-another";
  private static final int MANY = 8;
  private static TestService service;

  private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();

  /** Who was answered, in that order. */
  private final List<String> answered = new CopyOnWriteArrayList<>();

  @BeforeAll
  static void start() throws Exception {
    String hash =
        HexFormat.of()
            .formatHex(
                MessageDigest.getInstance("SHA-256").digest(BOB.getBytes(StandardCharsets.UTF_8)));
    service =
        TestService.start(
            Map.of(
                "JARVIS_API_KEYS", "bob:" + hash,
                "JARVIS_DATABASE_QUERY_TIMEOUT", "40s",
                "JARVIS_DOCUMENTS_WORKERS", "0",
                "JARVIS_DOCUMENTS_MAX_UPLOADS", "1",
                "JARVIS_DOCUMENTS_MAX_SEARCHES", "1",
                "JARVIS_DOCUMENTS_MAX_QUEUED", Integer.toString(MANY),
                "JARVIS_DOCUMENTS_QUEUE_TIMEOUT", "50s"));
  }

  @AfterAll
  static void stop() {
    service.close();
  }

  @AfterEach
  void close() {
    threads.close();
  }

  @Test
  void theOtherUsersSearchDoesNotWaitForAllOfThem() throws Exception {
    assertTurns(
        "document_chunks", "search", key -> service.post("/v1/search", "{\"query\":\"x\"}", key));
  }

  @Test
  void theOtherUsersGroundedChatDoesNotWaitForAllOfThem() throws Exception {
    service.awaitModel(service.ollama().model());
    assertTurns("document_chunks", "search", FairnessTest::groundedChat);
  }

  /** Grounded chats and searches share the permits; an explanation needs none of them. */
  @Test
  void aMixtureOfAllOfThemIsOneUsersToo() throws Exception {
    service.awaitModel(service.ollama().model());
    AtomicInteger number = new AtomicInteger();
    String explained = "{\"model\":\"%s\"}".formatted(service.ollama().model());
    assertTurns(
        "document_chunks",
        "search",
        key -> {
          if (number.getAndIncrement() % 2 == 1) {
            return groundedChat(key);
          }
          assertThat(service.post("/v1/routing/explain", explained).statusCode()).isEqualTo(200);
          return service.post("/v1/search", "{\"query\":\"x\"}", key);
        });
  }

  private static HttpResponse<String> groundedChat(String... key) {
    return service.chat(
        "{\"model\":\"%s\",\"grounding\":{},\"messages\":[{\"role\":\"user\",\"content\":\"x\"}]}"
            .formatted(service.ollama().model()),
        key);
  }

  @Test
  void theOtherUsersUploadDoesNotWaitForAllOfThem() throws Exception {
    assertTurns(
        "documents",
        "upload",
        key ->
            DocumentsTest.upload(
                service, "a.txt", "x".getBytes(StandardCharsets.UTF_8), "assistants", key));
  }

  /**
   * @param table what a request needs while it holds its permit
   */
  private void assertTurns(
      String table, String kind, Function<String[], HttpResponse<String>> request)
      throws Exception {
    List<CompletableFuture<Void>> requests = new ArrayList<>();
    try (Connection connection = connect();
        Statement statement = connection.createStatement()) {
      connection.setAutoCommit(false);
      statement.execute("LOCK TABLE %s IN ACCESS EXCLUSIVE MODE".formatted(table));
      requests.add(ask("admin", TestService.KEY, request, 200));
      // the first has the permit when the second waits
      requests.add(ask("admin", TestService.KEY, request, 200));
      awaitWaiting(kind, 1);
      for (int i = 2; i < MANY; i++) {
        requests.add(ask("admin", TestService.KEY, request, 200));
        awaitWaiting(kind, i);
      }
      CompletableFuture<Void> bob = ask("bob", BOB, request, 200);
      awaitWaiting(kind, MANY);
      HttpResponse<String> refused = request.apply(authorization(TestService.KEY));
      assertThat(refused.statusCode()).isEqualTo(503);
      assertThat(refused.body()).contains("The server is busy: ", "\"overloaded\"");
      requests.add(bob);
      connection.commit();
    }
    for (CompletableFuture<Void> each : requests) {
      each.get();
    }

    assertThat(answered.indexOf("bob"))
        .as("after the one that had the permit, the next, and maybe one whose response was faster")
        .isLessThanOrEqualTo(3);
    awaitWaiting(kind, 0);
  }

  private static Connection connect() throws Exception {
    Map<String, String> database = service.database().environment();
    return DriverManager.getConnection(
        database.get("JARVIS_DATABASE_URL"),
        database.get("JARVIS_DATABASE_USERNAME"),
        database.get("JARVIS_DATABASE_PASSWORD"));
  }

  private CompletableFuture<Void> ask(
      String user, String key, Function<String[], HttpResponse<String>> request, int status) {
    return CompletableFuture.runAsync(
        () -> {
          HttpResponse<String> response = request.apply(authorization(key));
          assertThat(response.statusCode()).as(response.body()).isEqualTo(status);
          answered.add(user);
        },
        threads);
  }

  private static String[] authorization(String key) {
    return new String[] {"Authorization", "Bearer " + key};
  }

  private static void awaitWaiting(String kind, int count) {
    await()
        .atMost(LIMIT)
        .until(
            () ->
                service.metric("documents_waiting_requests{kind=\"%s\"}".formatted(kind)) == count);
  }
}
