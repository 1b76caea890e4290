package dev.jarvis.document;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.jarvis.TestService;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** One user has many uploads or searches, another has one; there is one permit for each kind. */
@Timeout(60)
class FairnessTest {
  private static final Duration LIMIT = Duration.ofSeconds(20);
  private static final String BOB = "sk-test-key-of-another";
  private static final int MANY = 8;
  private static TestService service;

  private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();

  /** The users of the requests, in the order of the responses. */
  private final List<String> answered = new CopyOnWriteArrayList<>();

  @BeforeAll
  static void start() throws Exception {
    service =
        TestService.start(
            Map.of(
                "JARVIS_API_KEYS", TestService.apiKeys("bob", BOB),
                "JARVIS_DATABASE_QUERY_TIMEOUT", "40s",
                "JARVIS_DOCUMENTS_WORKERS", "0",
                "JARVIS_DOCUMENTS_MAX_UPLOADS", "1",
                "JARVIS_DOCUMENTS_UPLOAD_GRACE", "1ms",
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
  void aSearchDoesNotWaitForAllOfAnotherUser() throws Exception {
    assertFair(
        "document_chunks", "search", key -> service.post("/v1/search", "{\"query\":\"x\"}", key));
  }

  @Test
  void aGroundedChatDoesNotWaitForAllOfAnotherUser() throws Exception {
    service.awaitModel(service.ollama().model());
    assertFair("document_chunks", "search", FairnessTest::groundedChat);
  }

  /** Grounded chats and searches share permits; an explanation of a route needs none of them. */
  @Test
  void searchesAndGroundedChatsShareTheirPermits() throws Exception {
    service.awaitModel(service.ollama().model());
    AtomicInteger number = new AtomicInteger();
    String explained = "{\"model\":\"%s\"}".formatted(service.ollama().model());
    assertFair(
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
  void anUploadDoesNotWaitForAllOfAnotherUser() throws Exception {
    assertFair(
        "documents",
        "upload",
        key -> service.upload("a.txt", "x".getBytes(StandardCharsets.UTF_8), "assistants", key));
  }

  /** A client that sends nothing more keeps its upload until a user without one waits. */
  @ParameterizedTest
  @ValueSource(strings = {"within the file", "after the form"})
  void aStalledUploadIsEndedInFavourOfAUserWithoutOne(String where) throws Exception {
    byte[] form = form(where.equals("within the file") ? 60_000 : 1);
    int sent = where.equals("within the file") ? form.length / 2 : form.length;
    try (Socket stalled = upload("Content-Length: %d\r\n".formatted(form.length + 100))) {
      stalled.getOutputStream().write(form, 0, sent);
      assertEndedFor(BOB, stalled);
    }
  }

  /** What arrives counts, and not what it is decoded to. */
  @Test
  void anUploadThatDripsCompressedIsEndedInFavourOfAUserWithoutOne() throws Exception {
    ByteArrayOutputStream compressed = new ByteArrayOutputStream();
    try (GZIPOutputStream gzip = new GZIPOutputStream(compressed)) {
      gzip.write(form(8_000_000));
    }
    byte[] body = compressed.toByteArray();
    InputStream left = new ByteArrayInputStream(body);
    String length = "Content-Length: %d\r\n".formatted(body.length);
    try (Socket slow = upload("Content-Encoding: gzip\r\n" + length);
        ScheduledExecutorService drips = Executors.newSingleThreadScheduledExecutor()) {
      var _ =
          drips.scheduleWithFixedDelay(
              () -> {
                try {
                  slow.getOutputStream().write(left.readNBytes(16));
                } catch (IOException e) {
                  throw new UncheckedIOException(e); // the last drip
                }
              },
              0,
              20,
              TimeUnit.MILLISECONDS);
      assertEndedFor(BOB, slow);
    }
  }

  /** Begins an upload, as far as its head. */
  private static Socket upload(String headers) throws IOException {
    Socket socket = new Socket(InetAddress.getLoopbackAddress(), service.port());
    String head =
        """
        POST /v1/files HTTP/1.1\r
        Host: localhost\r
        Authorization: Bearer %s\r
        Content-Type: multipart/form-data; boundary=XX\r
        %s\r
        """
            .formatted(TestService.KEY, headers);
    socket.getOutputStream().write(head.getBytes(StandardCharsets.UTF_8));
    return socket;
  }

  /** A form with a file of so many words. */
  private static byte[] form(int words) {
    return """
        --XX\r
        Content-Disposition: form-data; name="purpose"\r
        \r
        assistants\r
        --XX\r
        Content-Disposition: form-data; name="file"; filename="a.txt"\r
        \r
        %s\r
        --XX--\r
        """
        .formatted("text ".repeat(words))
        .getBytes(StandardCharsets.UTF_8);
  }

  private static void assertEndedFor(String key, Socket upload) throws Exception {
    await().atMost(LIMIT).until(FairnessTest::isUploading); // it has the permit

    byte[] text = "x".getBytes(StandardCharsets.UTF_8);
    HttpResponse<String> other = service.upload("b.txt", text, "assistants", authorization(key));

    assertThat(other.statusCode()).as(other.body()).isEqualTo(200);
    String response = new String(upload.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(response).startsWith("HTTP/1.1 408 ").contains("16384 bytes per second");
  }

  private static boolean isUploading() throws SQLException {
    try (Connection connection = service.database().connect();
        Statement statement = connection.createStatement();
        ResultSet rows = statement.executeQuery("SELECT 1 FROM documents WHERE stage = 'store'")) {
      return rows.next();
    }
  }

  /**
   * @param table locked, because a request uses it while it holds its permit
   */
  private void assertFair(
      String table, String kind, Function<String[], HttpResponse<String>> request)
      throws Exception {
    List<CompletableFuture<Void>> requests = new ArrayList<>();
    try (Connection connection = service.database().connect();
        Statement statement = connection.createStatement()) {
      connection.setAutoCommit(false);
      statement.execute("LOCK TABLE %s IN ACCESS EXCLUSIVE MODE".formatted(table));
      requests.add(ask("admin", TestService.KEY, request, 200));
      // the first holds the permit, the second waits
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
        .as(
            "at most three before: the permit's holder, the next, and one whose response was faster")
        .isLessThanOrEqualTo(3);
    awaitWaiting(kind, 0);
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
