package dev.jarvis.admin;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.jarvis.storage.Database;
import dev.jarvis.storage.Recorded;
import dev.jarvis.storage.embedded.Stores;
import dev.jarvis.storage.embedded.TestDatabase;
import dev.jarvis.telemetry.Telemetry;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What becomes of a deleted user, whatever happens to the replicas that erase it. */
class ErasureTest {
  private static final Duration LIMIT = Duration.ofSeconds(60);
  private static final Duration PAUSE = Duration.ofMillis(50);
  private static final int BATCH = 10;
  private static final int ROWS = 25;
  private static final String PSEUDONYM = "erased-1";

  @TempDir Path home;
  private TestDatabase server;
  private Telemetry telemetry;

  @BeforeEach
  void start() throws Exception {
    server = TestDatabase.create();
    telemetry = Recorded.start();
    server.execute(
        "INSERT INTO users (id, role, pseudonym) VALUES ('alice', 'member', '%s'), ('bob', 'member', NULL)"
            .formatted(PSEUDONYM));
    server.execute(
        """
        INSERT INTO ledger_entries (id, created_at, rank, day, user_id, end_user, request_id, trace_id, operation, model, provider,
          outcome, attempts, input_tokens, cached_input_tokens, output_tokens, reasoning_tokens, estimated, streamed, duration_ms)
        SELECT gen_random_uuid(), now(), 3, current_date, u, e, 'r', 't', 'chat', 'm', 'p', 'ok', 1, 1, 0, 1, 0, false, false, 1
        FROM generate_series(1, %d), (VALUES ('alice', 'alice'), ('alice', 'guest'), ('bob', 'alice')) AS v (u, e)"""
            .formatted(ROWS));
    // of a day whose entries are gone
    server.execute("INSERT INTO ledger_totals VALUES ('user', 'alice', '2020-01-01', 1, 2, 3, 4)");
    audit("bob", "config:bob", "user", "alice", "alice", "{\"id\":\"alice\",\"name\":\"A\"}");
    audit("alice", "config:alice", "user", "bob", "bob", "{\"id\":\"bob\",\"name\":\"B\"}");
    audit(
        "bob",
        "config:bob",
        "key",
        "k",
        "alice",
        "{\"id\":\"k\",\"user_id\":\"alice\",\"name\":\"A's\",\"addresses\":[\"192.0.2.7\"]}");
    server.execute(
        """
        INSERT INTO documents (id, user_id, filename, purpose, media_type, stage, state, due_at, upload_trace)
        SELECT gen_random_uuid(), u, 'f', 'assistants', 'text/plain', 'index', 'done', now(), ''
        FROM generate_series(1, %d), (VALUES ('alice'), ('bob')) AS v (u)"""
            .formatted(ROWS));
  }

  private void audit(
      String actor, String actorKey, String type, String target, String user, String object)
      throws SQLException {
    server.execute(
        """
        INSERT INTO admin_audit (id, actor, actor_key, address, request_id, action, target_type, target_id, user_id, before, after)
        VALUES (gen_random_uuid(), '%s', '%s', '192.0.2.1', 'r', '%s.update', '%s', '%s', '%s', '%s', '%s')"""
            .formatted(
                actor,
                actorKey,
                type,
                type,
                target,
                user,
                object.replace("'", "''"),
                object.replace("'", "''")));
  }

  @AfterEach
  void stop() throws Exception {
    telemetry.close();
    server.close();
  }

  private Database database() throws Exception {
    return Stores.database(server.config(4, LIMIT), home, telemetry);
  }

  private static Erasure started(Database database, Duration settling) {
    return started(database, settling, Duration.ZERO);
  }

  private static Erasure started(Database database, Duration settling, Duration recovery) {
    Erasure erasure = new Erasure(database, new Erasure.Times(settling, recovery, PAUSE), BATCH);
    erasure.start();
    return erasure;
  }

  private long count(String what) throws SQLException {
    return Long.parseLong(server.rows("SELECT count(*) AS n FROM " + what).getFirst().get("n"));
  }

  private void awaitNone(String what) {
    await().atMost(LIMIT).until(() -> count(what) == 0);
  }

  /** As the workers of documents do it. */
  private void deleteHiddenFiles() throws SQLException {
    server.execute("DELETE FROM documents WHERE stage = 'delete'");
  }

  @Test
  void onlyAPseudonymIsLeftAndOnlyOfThatUser() throws Exception {
    try (Database database = database();
        Erasure ignored = started(database, Duration.ZERO)) {
      awaitNone("documents WHERE user_id = 'alice' AND stage <> 'delete'");
      awaitNone("ledger_entries WHERE user_id = 'alice'");
      assertThat(count("users WHERE id = 'alice'")).isEqualTo(1); // for the files
      deleteHiddenFiles();
      awaitNone("users WHERE id = 'alice'");
    }

    assertThat(count("documents WHERE user_id = 'bob' AND stage = 'index'")).isEqualTo(ROWS);
    assertThat(count("ledger_entries WHERE user_id = 'bob' AND end_user = 'alice'"))
        .isEqualTo(ROWS);
    assertThat(
            count(
                "ledger_entries WHERE user_id = '%s' AND end_user IS NULL AND request_id = 'erased'"
                    .formatted(PSEUDONYM)))
        .isEqualTo(2 * ROWS);
    assertThat(count("ledger_entries WHERE request_id = 'r'")).isEqualTo(ROWS);
    assertThat(count("ledger_totals WHERE scope_id = 'alice'")).isZero();
    assertThat(count("ledger_totals WHERE scope_id = '%s'".formatted(PSEUDONYM))).isEqualTo(2);
    assertThat(count("admin_audit WHERE request_id <> 'erased'")).isZero();
    String target = "\"id\": \"%s\", \"name\": null".formatted(PSEUDONYM);
    String key =
        "\"id\": \"k\", \"name\": null, \"user_id\": \"%s\", \"addresses\": []"
            .formatted(PSEUDONYM);
    assertThat(
            server.rows(
                "SELECT actor, actor_key, address, target_id, user_id, CAST(before AS text) AS before, CAST(after AS text) AS after FROM admin_audit"))
        .containsExactlyInAnyOrder(
            row("bob", "config:bob", "192.0.2.1", PSEUDONYM, PSEUDONYM, target),
            row(PSEUDONYM, PSEUDONYM, "erased", "bob", "bob", "\"id\": \"bob\", \"name\": \"B\""),
            row("bob", "config:bob", "192.0.2.1", "k", PSEUDONYM, key));
  }

  private static Map<String, String> row(
      String actor, String actorKey, String address, String target, String user, String object) {
    return Map.of(
        "actor", actor,
        "actor_key", actorKey,
        "address", address,
        "target_id", target,
        "user_id", user,
        "before", "{" + object + "}",
        "after", "{" + object + "}");
  }

  @Test
  void anotherReplicaResumesWhereOneWasCutOff() throws Exception {
    try (Database first = database();
        Database second = database();
        Connection blocker = server.connect();
        Statement statement = blocker.createStatement()) {
      blocker.setAutoCommit(false);
      statement.execute("SELECT 1 FROM admin_audit FOR UPDATE");
      try (Erasure ignored = started(first, Duration.ZERO)) {
        await()
            .atMost(LIMIT)
            .until(
                () ->
                    count(
                            "(SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
                                + " AND query LIKE '%UPDATE admin_audit%' AND datname = current_database()) AS cut")
                        > 0);
      }
      assertThat(count("ledger_entries WHERE user_id = 'alice'")).isEqualTo(2 * ROWS);
      blocker.rollback();

      try (Erasure ignored = started(second, Duration.ZERO)) {
        awaitNone("ledger_entries WHERE user_id = 'alice'");
        awaitNone("admin_audit WHERE actor = 'alice' OR user_id = 'alice'");
        awaitNone("documents WHERE user_id = 'alice' AND stage <> 'delete'");
        deleteHiddenFiles();
        awaitNone("users WHERE id = 'alice'");
      }
    }
  }

  @Test
  void twoReplicasDoNotWorkOnTheSameUser() throws Exception {
    try (Database first = database();
        Connection other = server.connect();
        Statement statement = other.createStatement()) {
      other.setAutoCommit(false);
      statement.execute("SELECT 1 FROM users WHERE id = 'alice' FOR UPDATE");
      server.execute("INSERT INTO users (id, role, pseudonym) VALUES ('carol', 'member', 'e')");

      try (Erasure ignored = started(first, Duration.ZERO)) {
        awaitNone("users WHERE id = 'carol'"); // one that nobody has locked
        assertThat(count("ledger_entries WHERE user_id = 'alice'")).isEqualTo(2 * ROWS);
        other.rollback();
        awaitNone("ledger_entries WHERE user_id = 'alice'");
      }
    }
  }

  @Test
  void entriesOfCallsThatWereInProgressAreReplacedTooBeforeTheUserIsGone() throws Exception {
    deleteAllFiles();
    try (Database database = database();
        Erasure ignored = started(database, Duration.ofHours(1))) {
      awaitNone("ledger_entries WHERE user_id = 'alice'");
      awaitALateEntry();
      assertThat(count("users WHERE id = 'alice'")).isEqualTo(1);
      server.execute("UPDATE users SET updated_at = now() - interval '2 hours' WHERE id = 'alice'");
      awaitNone("users WHERE id = 'alice'");
    }
  }

  /** Its bytes may come after a purge, which then nobody would ever delete. */
  @Test
  void anUploadInProgressIsHiddenWhenItIsComplete() throws Exception {
    server.execute(
        "UPDATE documents SET stage = 'store', due_at = now() + interval '1 hour' WHERE id = (SELECT id FROM documents WHERE user_id = 'alice' LIMIT 1)");
    try (Database database = database();
        Erasure ignored = started(database, Duration.ZERO)) {
      awaitNone("documents WHERE user_id = 'alice' AND stage NOT IN ('store', 'delete')");
      deleteHiddenFiles();
      awaitNone("ledger_entries WHERE user_id = 'alice'");
      awaitALateEntry();
      assertThat(count("documents WHERE user_id = 'alice' AND stage = 'store'")).isEqualTo(1);
      assertThat(count("users WHERE id = 'alice'")).isEqualTo(1);

      server.execute(
          "UPDATE documents SET stage = 'extract', due_at = now() WHERE stage = 'store'");
      awaitNone("documents WHERE user_id = 'alice' AND stage <> 'delete'");
      deleteHiddenFiles();
      awaitNone("users WHERE id = 'alice'");
    }
  }

  /** A later round of the erasure is over when this returns. */
  private void awaitALateEntry() throws SQLException {
    server.execute(
        "UPDATE ledger_entries SET user_id = 'alice' WHERE id = (SELECT id FROM ledger_entries WHERE user_id = '%s' LIMIT 1)"
            .formatted(PSEUDONYM));
    awaitNone("ledger_entries WHERE user_id = 'alice'");
  }

  /** Replicas keep entries in memory meanwhile, and write them afterwards. */
  @Test
  void doesNotEndSoonAfterTheDatabaseWasAway() throws Exception {
    deleteAllFiles();
    try (Database database = database()) {
      server.execute("ALTER TABLE ledger_entries RENAME TO away");
      try (Erasure ignored = started(database, Duration.ZERO, Duration.ofHours(1))) {
        await()
            .atMost(LIMIT)
            .until(() -> !Recorded.spans("pseudonymise_ledger_entries postgresql").isEmpty());
        server.execute("ALTER TABLE away RENAME TO ledger_entries");
        awaitNone("ledger_entries WHERE user_id = 'alice'");
        awaitALateEntry();
        awaitALateEntry();
        assertThat(count("users WHERE id = 'alice'")).isEqualTo(1);
      }
    }
  }

  private void deleteAllFiles() throws SQLException {
    server.execute("DELETE FROM documents");
  }

  @Test
  void goesOnWhenTheDatabaseIsBack() throws Exception {
    deleteAllFiles();
    try (Database database = database()) {
      server.execute("ALTER TABLE ledger_entries RENAME TO away"); // every attempt fails
      try (Erasure ignored = started(database, Duration.ZERO)) {
        await()
            .atMost(LIMIT)
            .until(() -> Recorded.spans("pseudonymise_ledger_entries postgresql").size() > 1);
        server.execute("ALTER TABLE away RENAME TO ledger_entries");
        awaitNone("users WHERE id = 'alice'");
      }
    }
  }
}
