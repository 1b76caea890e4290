package dev.jarvis.storage;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.jarvis.TestService;
import dev.jarvis.storage.embedded.TestDatabase;
import java.net.http.HttpResponse;
import java.sql.SQLException;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A service starts on a database with data of the previous release. */
@Timeout(90)
class UpgradeTest {
  private static final String PREVIOUS = "7";

  private TestDatabase database;

  @BeforeEach
  void open() throws Exception {
    database = TestDatabase.create();
    database.recreate(PREVIOUS);
  }

  @AfterEach
  void close() throws Exception {
    database.close();
  }

  private List<Map<String, String>> uses() throws SQLException {
    return database.rows("SELECT * FROM ledger_entries ORDER BY request_id");
  }

  @Test
  void keepsTheLedgerAndTheDocumentsAndAddsToThem() throws Exception {
    database.execute("SELECT llm_requests_ensure_partition(now())");
    // one in this month's partition, and one in the default partition for lack of another
    for (String created : List.of("now()", "timestamptz '2020-01-02T03:04:05Z'")) {
      database.execute(
          """
          INSERT INTO llm_requests (
            id, created_at, user_id, end_user, request_id, trace_id, operation, model, provider, outcome, input_tokens,
            cached_input_tokens, output_tokens, estimated, cost_usd, streamed, duration_ms, time_to_first_token_ms, finish_reason)
          VALUES (gen_random_uuid(), %1$s, 'ann', 'eve', 'old %2$s', repeat('0', 32), 'chat', 'm', 'p', 'ok', 10, 4, 20, true,
            0.000123456789, true, 345, 67, 'stop')
          """
              .formatted(created, created.replace("'", "")));
    }
    database.execute(
        """
        INSERT INTO documents (id, user_id, filename, purpose, media_type, bytes, sha256, stage, state, due_at, chunks, chunks_done,
          searchable_at, upload_trace)
        VALUES ('01890000-0000-7000-8000-000000000001', 'admin', 'old.txt', 'assistants', 'text/plain', 5, 'abc', 'index', 'done',
          now(), 1, 1, now(), '')
        """);
    database.execute(
        """
        INSERT INTO document_chunks (document_id, ordinal, text, tokens, words)
        VALUES ('01890000-0000-7000-8000-000000000001', 0, 'a lighthouse', 3, to_tsvector('english', 'a lighthouse'))
        """);
    List<Map<String, String>> before =
        database.rows("SELECT * FROM llm_requests ORDER BY request_id");
    assertThat(before).hasSize(2);

    try (TestService service = TestService.start(database.environment())) {
      service.awaitModel(service.ollama().model());

      assertThat(uses())
          .hasSize(2)
          .allSatisfy(
              it ->
                  assertThat(it)
                      .containsEntry("attempts", "1")
                      .containsEntry("reasoning_tokens", "0")
                      .containsEntry("rank", "2"));
      for (int i = 0; i < before.size(); i++) {
        assertThat(uses().get(i)).containsAllEntriesOf(before.get(i));
      }
      assertThat(
              database.rows(
                  "SELECT tableoid::regclass AS name FROM ledger_entries ORDER BY created_at LIMIT 1"))
          .containsExactly(Map.of("name", "ledger_entries_2020_01"));
      HttpResponse<String> found = service.post("/v1/search", "{\"query\":\"lighthouse\"}");
      assertThat(found.body()).contains("old.txt", "a lighthouse");

      HttpResponse<String> answer =
          service.chat(
              "{\"model\":\"%s\",\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}"
                  .formatted(service.ollama().model()),
              "x-request-id",
              "new");

      assertThat(answer.statusCode()).isEqualTo(200);
      await().atMost(Duration.ofSeconds(20)).until(() -> uses().size() == 3);
      Map<String, String> row = uses().getFirst();
      assertThat(row)
          .containsEntry("request_id", "new")
          .containsEntry("outcome", "ok")
          .containsEntry("attempts", "1")
          .containsEntry("rank", "3");
    }
  }

  @Test
  void wordsOfOlderReleasesAreFoundAndMadeAgain() throws Exception {
    database.migrate("9");
    database.execute(
        """
        INSERT INTO documents (id, user_id, filename, purpose, media_type, bytes, sha256, stage, state, due_at, chunks, chunks_done,
          searchable_at, upload_trace)
        SELECT CAST('01890000-0000-7000-8000-00000000000' || n AS uuid), 'admin', n || '.txt', 'assistants', 'text/plain', 5, n,
          'index', 'done', now() - interval '1 day', 1, 1, now(), ''
        FROM generate_series(1, 2) AS n
        """);
    database.execute(
        """
        INSERT INTO document_chunks (document_id, ordinal, text, tokens, words)
        SELECT CAST('01890000-0000-7000-8000-00000000000' || n AS uuid), 0, text, 3, to_tsvector('english', text)
        FROM (VALUES (1, 'The boats of the harbour are in src/main/App.java, for whatever reason.'),
                     (2, 'Les bateaux du port partent à huit heures du matin.')) AS r(n, text)
        """);
    Map<String, String> settings = new HashMap<>(database.environment());
    settings.put("JARVIS_DOCUMENTS_WORKERS", "0");
    try (TestService service = TestService.start(settings)) {
      assertThat(found(service, "boat")).as("by the old rules").containsExactly("1.txt");
      assertThat(found(service, "src/main/App.java")).containsExactly("1.txt");
      assertThat(found(service, "bateaux")).containsExactly("2.txt");
      assertThat(found(service, "App")).isEmpty();
    }
    try (TestService service = TestService.start(database.environment())) {
      await()
          .atMost(Duration.ofSeconds(30))
          .until(
              () ->
                  database
                      .rows(
                          "SELECT 1 AS x FROM documents WHERE index_version < 1 OR lease IS NOT NULL")
                      .isEmpty());
      assertThat(database.rows("SELECT language, text_search, state FROM documents ORDER BY id"))
          .containsExactly(
              Map.of("language", "en", "text_search", "english", "state", "done"),
              Map.of("language", "fr", "text_search", "french", "state", "done"));
      assertThat(found(service, "boat")).containsExactly("1.txt");
      assertThat(found(service, "App")).containsExactly("1.txt");
      assertThat(found(service, "bateau")).containsExactly("2.txt");
    }
    try (TestService ignored = TestService.start(settings)) {
      assertThat(indexes())
          .as("replicas of the previous release, or a rollback to it, need the old index")
          .contains("document_chunks_words", "document_chunks_user_words");
    }
  }

  @Test
  void usersOfOlderReleasesWithFilesOrCallsCanBeAdministered() throws Exception {
    database.migrate("12");
    database.execute("SELECT llm_requests_ensure_partition(now())");
    for (String user : List.of("ann", "bob", "bob", "a b", "zed", "admin")) {
      for (String created : List.of("now()", "timestamptz '2020-01-02T03:04:05Z'")) {
        database.execute(
            """
            INSERT INTO llm_requests (id, created_at, user_id, request_id, trace_id, model, provider, outcome,
              input_tokens, cached_input_tokens, output_tokens, streamed, duration_ms)
            VALUES (gen_random_uuid(), %s, '%s', 'r', 't', 'm', 'p', 'ok', 1, 0, 1, false, 1)"""
                .formatted(created, user));
      }
    }
    for (String user : List.of("eve", "bob", "a/b", "..")) {
      database.execute(
          """
          INSERT INTO documents (id, user_id, filename, purpose, media_type, stage, state, due_at, upload_trace)
          VALUES (gen_random_uuid(), '%s', 'f', 'assistants', 'text/plain', 'index', 'done', now(), '')"""
              .formatted(user));
    }

    database.migrate("latest");

    assertThat(database.rows("SELECT id, role FROM users ORDER BY id"))
        .containsExactly(
            Map.of("id", "ann", "role", "member"),
            Map.of("id", "bob", "role", "member"),
            Map.of("id", "eve", "role", "member"),
            Map.of("id", "zed", "role", "member"));
  }

  @Test
  void startsWithoutTheRightToCreateExtensionsAndUsesItLater() throws Exception {
    database.migrate("9");
    String right =
        "CREATE ON DATABASE " + database.rows("SELECT current_database() AS n").getFirst().get("n");
    database.execute("REVOKE %s FROM jarvis".formatted(right));
    try (TestService service = TestService.start(database.environment())) {
      assertThat(indexes())
          .contains("document_chunks_words")
          .doesNotContain("document_chunks_user_words");
      service.upload(
          "boats.txt",
          "The boats of the harbour leave early in the morning.".getBytes(UTF_8),
          "assistants");
      await()
          .atMost(Duration.ofSeconds(30))
          .untilAsserted(() -> assertThat(found(service, "boat")).containsExactly("boats.txt"));
    }
    database.execute("GRANT %s TO jarvis".formatted(right));
    try (TestService service = TestService.start(database.environment())) {
      assertThat(indexes()).contains("document_chunks_user_words");
      assertThat(found(service, "boat")).containsExactly("boats.txt");
    }
  }

  @Test
  void aNewDatabaseHasOneIndexOfWords() throws Exception {
    database.migrate("latest");
    assertThat(indexes())
        .contains("document_chunks_user_words")
        .doesNotContain("document_chunks_words");
  }

  /** A replica of the previous release works on, and must not wait for a scan of all passages. */
  @Test
  void noMigrationLocksTheTablesWhileItCreatesTheIndexOfWords() throws Exception {
    database.migrate("11");
    assertThat(indexes()).doesNotContain("document_chunks_user_words");
  }

  private List<String> indexes() throws SQLException {
    return database
        .rows("SELECT indexname FROM pg_indexes WHERE tablename = 'document_chunks'")
        .stream()
        .map(it -> it.get("indexname"))
        .toList();
  }

  private static List<String> found(TestService service, String question) {
    HttpResponse<String> response =
        service.post("/v1/search", "{\"query\":\"%s\"}".formatted(question));
    assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
    return TestService.json(response.body()).path("data").findValuesAsText("filename").stream()
        .distinct()
        .toList();
  }
}
