package dev.jarvis.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.io.Writer;
import java.net.InetAddress;
import java.net.Socket;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Documents on real PostgreSQL, SeaweedFS and Ollama, also while processes are killed. */
class DocumentsIT {
  private static final Duration LIMIT = Duration.ofMinutes(2);
  private static final Predicate<String> UPLOAD_ID =
      Pattern.compile("^[0-9a-f]{40}_\\S+$").asPredicate();

  private static JsonNode json(HttpResponse<String> response) {
    assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
    return Stack.json(response.body());
  }

  private static String form(String filename, String text) {
    return "--XX\r\nContent-Disposition: form-data; name=\"purpose\"\r\n\r\nuser_data\r\n--XX\r\n"
        + "Content-Disposition: form-data; name=\"file\"; filename=\""
        + filename
        + "\"\r\n\r\n"
        + text
        + "\r\n--XX--\r\n";
  }

  private static HttpResponse<String> send(String filename, String text, String... headers) {
    HttpRequest.Builder request =
        Stack.api("/v1/files").setHeader("Content-Type", "multipart/form-data; boundary=XX");
    if (headers.length > 0) {
      request.headers(headers);
    }
    return Stack.send(request.POST(BodyPublishers.ofString(form(filename, text))).build());
  }

  private static String upload(String filename, String text, String... headers) {
    return json(send(filename, text, headers)).path("id").asText();
  }

  private static JsonNode file(String id) {
    return json(Stack.send(Stack.api("/v1/files/" + id).GET().build()));
  }

  private static void awaitProcessed(String id) {
    await()
        .atMost(LIMIT)
        .ignoreExceptionsInstanceOf(AssertionError.class) // while the API restarts
        .until(() -> file(id).path("status").asText().equals("processed"));
  }

  private static JsonNode search(String query) {
    return json(
        Stack.send(
            Stack.api("/v1/search")
                .POST(BodyPublishers.ofString("{\"query\":\"" + query + "\"}"))
                .build()));
  }

  @Test
  void anAnswerCitesTheOnlyDocumentThatHoldsIt() {
    for (int i = 0; i < 5; i++) {
      awaitProcessed(upload("boat" + i + ".txt", "Boat number " + i + " is painted white."));
    }
    String uploaded = "1f3b6a0c5d2e4f70819a2b3c4d5e6f70";
    String id =
        upload(
            "pilot.md",
            "# Crew\n\nThe pilot of the Abeille is Maïwenn Kerdoncuff.",
            "traceparent",
            "00-" + uploaded + "-c532cb4098ac3dd2-01");
    awaitProcessed(id);
    assertThat(search("Who is the pilot of the Abeille?").at("/data/0/file_id").asText())
        .isEqualTo(id);
    assertThat(search("pilot").path("mode").asText()).isEqualTo("hybrid");

    String trace = "5bd66ef5095369c7b0d1f8f4bd33716a";
    String body =
        """
        {"model":"%s","max_tokens":16,"temperature":0,"grounding":{"max_num_results":2},
         "messages":[{"role":"user","content":"Who is the pilot of the Abeille?"}]}"""
            .formatted(Stack.MODEL);
    JsonNode answer =
        json(
            Stack.send(
                Stack.api("/v1/chat/completions")
                    .header("traceparent", "00-" + trace + "-c532cb4098ac3dd2-01")
                    .POST(BodyPublishers.ofString(body))
                    .build()));
    assertThat(answer.at("/grounding/citations/0/file_id").asText()).isEqualTo(id);

    await()
        .atMost(LIMIT)
        .untilAsserted(
            () -> {
              List<JsonNode> found =
                  Stack.jaeger(trace).stream()
                      .filter(it -> it.path("operationName").asText().equals("search documents"))
                      .toList();
              assertThat(found).hasSize(1);
              List<String> linked = found.getFirst().path("references").findValuesAsText("traceID");
              linked.remove(trace);
              assertThat(linked).isNotEmpty();
              List<JsonNode> work = Stack.jaeger(linked.getFirst());
              assertThat(work)
                  .extracting(it -> it.path("operationName").asText())
                  .contains("process document", "extract document", "index document");
              assertThat(work)
                  .filteredOn(it -> it.path("operationName").asText().equals("process document"))
                  .flatExtracting(it -> it.path("references").findValuesAsText("traceID"))
                  .as("the processing is linked to the upload")
                  .containsExactly(uploaded);
            });
  }

  /** The database or the object store delays the processing in the stage. */
  @ParameterizedTest
  @CsvSource({"extract,", "chunk,INSERT", "embed,UPDATE OF embedding", "index,UPDATE OF words"})
  void aWorkerThatIsKilledLosesNothing(String stage, String slow) throws Exception {
    if (slow == null) {
      Stack.signal("seaweedfs", "STOP");
    } else {
      sql(
          "CREATE FUNCTION e2e_wait() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(4); RETURN NEW; END'");
      sql(
          "CREATE TRIGGER e2e_wait BEFORE %s ON document_chunks FOR EACH ROW EXECUTE FUNCTION e2e_wait()"
              .formatted(slow));
    }
    String id = null;
    try {
      if (slow == null) {
        Stack.signal("seaweedfs", "CONT");
        id = upload("killed-in-" + stage + ".txt", "The watchword of " + stage + " is sextant.");
        awaitProcessed(id);
        Stack.signal("seaweedfs", "STOP");
        json(
            Stack.send(
                Stack.api("/v1/files/" + id + "/retry").POST(BodyPublishers.noBody()).build()));
      } else {
        id = upload("killed-in-" + stage + ".txt", "The watchword of " + stage + " is sextant.");
      }
      String file = id;
      await()
          .atMost(Duration.ofSeconds(20))
          .pollInterval(Duration.ofMillis(50))
          .until(() -> file(file).at("/processing/stage").asText().equals(stage));
      Stack.signal("api", "KILL");
    } finally {
      Stack.signal("seaweedfs", "CONT");
      sql("DROP FUNCTION IF EXISTS e2e_wait CASCADE");
    }
    awaitProcessed(id);
    assertThat(file(id).at("/processing/attempts").asInt()).isGreaterThan(1);
    JsonNode found = search("watchword of " + stage).path("data");
    assertThat(found.findValuesAsText("file_id")).containsOnlyOnce(id);
  }

  @Test
  void anUploadThatIsKilledMidwayLeavesNoFile() throws Exception {
    String form = form("half.html", large());
    String head =
        "POST /v1/files HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Type: multipart/form-data; boundary=XX\r\nContent-Length: %d\r\n\r\n"
            .formatted(Stack.key(), form.length());
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), 8000)) {
      socket
          .getOutputStream()
          .write((head + form.substring(0, 6_000_000)).getBytes(StandardCharsets.UTF_8));
      await().atMost(LIMIT).until(() -> incompleteUploads() == 1);
      assertThat(number("SELECT count(*) FROM documents WHERE stage = 'store'")).isEqualTo(1);
      Stack.signal("api", "KILL");
    }
    await()
        .atMost(LIMIT)
        .ignoreExceptionsInstanceOf(AssertionError.class)
        .until(DocumentsIT::listed);
    assertThat(Stack.send(Stack.api("/v1/files").GET().build()).body()).doesNotContain("half.html");
    // as if the upload's time were over
    sql("UPDATE documents SET due_at = now() WHERE stage = 'store'");
    await()
        .atMost(LIMIT)
        .until(() -> number("SELECT count(*) FROM documents WHERE stage = 'store'") == 0);

    // SeaweedFS runs it every 17 minutes, for uploads older than a day
    seaweedfs("s3.clean.uploads -timeAgo=0s");
    assertThat(incompleteUploads()).isZero();
  }

  /** Returns the number of incomplete multipart uploads. */
  private static long incompleteUploads() throws IOException, InterruptedException {
    return seaweedfs("fs.ls /buckets/jarvis/.uploads").lines().filter(UPLOAD_ID).count();
  }

  /** Runs a command in SeaweedFS's shell and returns its output. */
  private static String seaweedfs(String command) throws IOException, InterruptedException {
    long pid = Long.parseLong(Stack.script("pid", "seaweedfs"));
    String program = ProcessHandle.of(pid).orElseThrow().info().command().orElseThrow();
    Process shell =
        new ProcessBuilder(program, "shell", "-master=127.0.0.1:9333")
            .redirectErrorStream(true)
            .start();
    try (Writer in = shell.outputWriter()) {
      in.write("lock\n" + command + "\nunlock\n");
    }
    String printed = new String(shell.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(shell.waitFor(60, TimeUnit.SECONDS)).isTrue();
    assertThat(shell.exitValue()).as(printed).isZero();
    return printed;
  }

  /** A page larger than one part of an S3 upload, with little text. */
  private static String large() {
    return "<p>Buoy 12 is green.</p><!--" + "x".repeat(12_000_000) + "-->";
  }

  @Test
  void aLargeFileIsStoredInPartsAndReturnedUnchanged() {
    String id = upload("large.html", large());
    HttpResponse<String> content =
        Stack.send(Stack.api("/v1/files/" + id + "/content").GET().build());
    assertThat(content.body().equals(large())).isTrue();
    awaitProcessed(id);
    assertThat(search("buoy").at("/data/0/filename").asText()).isEqualTo("large.html");
  }

  @Test
  void slowClientsDelayNoOther() throws Exception {
    String form = form("slow.html", large());
    byte[] begun =
        ("POST /v1/files HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Type: multipart/form-data; boundary=XX\r\nContent-Length: %d\r\n\r\n"
                    .formatted(Stack.key(), form.length())
                + form.substring(0, 6_000_000))
            .getBytes(StandardCharsets.UTF_8);
    List<Socket> slow = new ArrayList<>();
    try {
      for (int i = 0; i < 7; i++) {
        Socket socket = new Socket(InetAddress.getLoopbackAddress(), 8000);
        slow.add(socket);
        socket.getOutputStream().write(begun);
      }
      String id = upload("quick.txt", "Nobody waits for the slow.");
      assertThat(Stack.send(Stack.api("/v1/files/" + id + "/content").GET().build()).body())
          .isEqualTo("Nobody waits for the slow.");
      assertThat(Stack.get("http://127.0.0.1:8000/health").body()).contains("\"minio\":\"ok\"");
      assertThat(number("SELECT count(*) FROM documents WHERE stage = 'store'")).isEqualTo(7);
    } finally {
      for (Socket socket : slow) {
        socket.close();
      }
    }
    await()
        .atMost(LIMIT)
        .until(() -> number("SELECT count(*) FROM documents WHERE stage = 'store'") == 0);
  }

  private static boolean listed() {
    return Stack.send(Stack.api("/v1/files").GET().build()).statusCode() == 200;
  }

  @Test
  void anOutageOfTheObjectStoreIsRetried() throws Exception {
    String id = upload("tide.txt", "High water at Ouessant is at 17:42.");
    awaitProcessed(id);
    Stack.script("stop", "seaweedfs");
    try {
      HttpResponse<String> refused = send("later.txt", "Not now.");
      assertThat(refused.statusCode()).isEqualTo(503);
      assertThat(refused.body()).contains("object_store_unavailable");
      json(
          Stack.send(
              Stack.api("/v1/files/" + id + "/retry").POST(BodyPublishers.noBody()).build()));
      await()
          .atMost(LIMIT)
          .until(
              () ->
                  file(id)
                      .at("/processing/error/code")
                      .asText()
                      .equals("object_store_unavailable"));
      assertThat(file(id).path("status").asText()).isEqualTo("uploaded");
      assertThat(Stack.send(Stack.api("/v1/files").GET().build()).body())
          .doesNotContain("later.txt");
    } finally {
      Stack.script("start", "seaweedfs");
    }
    awaitProcessed(id);
    // SeaweedFS accepts no writes for 15 s after a restart
    await()
        .atMost(LIMIT)
        .ignoreExceptionsInstanceOf(AssertionError.class)
        .until(() -> !json(send("later.txt", "Not now.")).path("duplicate").asBoolean());
  }

  private static Connection database() throws SQLException, IOException {
    JsonNode secrets = Stack.secrets();
    return DriverManager.getConnection(
        "jdbc:postgresql://127.0.0.1:5432/jarvis",
        "jarvis",
        secrets.path("POSTGRES_PASSWORD").asText());
  }

  private static void sql(String text) throws SQLException, IOException {
    try (Connection connection = database();
        Statement statement = connection.createStatement()) {
      statement.execute(text);
    }
  }

  private static long number(String query) throws SQLException, IOException {
    try (Connection connection = database();
        Statement statement = connection.createStatement();
        var rows = statement.executeQuery(query)) {
      rows.next();
      return rows.getLong(1);
    }
  }
}
