package dev.jarvis.ledger;

import static org.assertj.core.api.Assertions.assertThat;

import dev.jarvis.id.UuidV7;
import dev.jarvis.storage.embedded.TestDatabase;
import java.math.BigDecimal;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Types;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The table llm_requests of the previous release: its rows move, and its replicas still write. */
@Timeout(90)
class LedgerUpgradeTest {
  /** As the previous release writes a row. */
  private static final String INSERT =
      """
      INSERT INTO llm_requests (
        id, created_at, user_id, end_user, request_id, trace_id, operation, model, provider, outcome, input_tokens,
        cached_input_tokens, output_tokens, reasoning_tokens, estimated, cost_usd, streamed, duration_ms, time_to_first_token_ms,
        finish_reason, call_id, attempt)
      VALUES (CAST(? AS uuid), ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, CAST(? AS numeric), ?, ?, ?, ?, CAST(? AS uuid), ?)
      ON CONFLICT DO NOTHING""";

  private record Row(UUID id, UUID call, int attempt, String user, String outcome, int tokens) {
    @Nullable String cost() {
      return outcome.equals("cached") ? "0" : attempt == 3 ? null : "0.00000%d".formatted(tokens);
    }
  }

  private TestDatabase database;

  @BeforeEach
  void open() throws Exception {
    database = TestDatabase.create();
    database.recreate("13");
  }

  @AfterEach
  void close() throws Exception {
    database.close();
  }

  /** Calls of one to three attempts, some from a cache, some of which only an attempt is left. */
  private static List<Row> rows(int calls) {
    Random random = new Random(19);
    List<Row> rows = new ArrayList<>();
    for (int i = 0; i < calls; i++) {
      UUID call = UuidV7.next();
      String user = "user-" + random.nextInt(3);
      if (random.nextInt(5) == 0) {
        rows.add(new Row(call, call, 1, user, "cached", 0));
        continue;
      }
      int attempts = 1 + random.nextInt(3);
      for (int attempt = 1; attempt <= attempts; attempt++) {
        boolean last = attempt == attempts;
        if (!last || attempts == 1 || random.nextInt(5) > 0) {
          rows.add(
              new Row(
                  last ? call : UuidV7.next(),
                  call,
                  attempt,
                  user,
                  last ? "ok" : "error",
                  1 + random.nextInt(9)));
        }
      }
    }
    Collections.shuffle(rows, random);
    return rows;
  }

  private void insert(List<Row> rows) throws SQLException {
    try (Connection connection = database.connect();
        PreparedStatement insert = connection.prepareStatement(INSERT)) {
      for (Row row : rows) {
        insert.setObject(1, row.id());
        insert.setObject(2, OffsetDateTime.ofInstant(UuidV7.time(row.id()), ZoneOffset.UTC));
        insert.setString(3, row.user());
        insert.setString(4, "eve");
        insert.setString(5, "r-" + row.call());
        insert.setString(6, "t");
        insert.setString(7, "chat");
        insert.setString(8, "m" + row.attempt());
        insert.setString(9, "p");
        insert.setString(10, row.outcome());
        insert.setInt(11, row.tokens());
        insert.setInt(12, row.tokens());
        insert.setInt(13, 2 * row.tokens());
        insert.setInt(14, row.tokens());
        insert.setBoolean(15, false);
        insert.setString(16, row.cost());
        insert.setBoolean(17, true);
        insert.setLong(18, 10);
        insert.setNull(19, Types.BIGINT);
        insert.setString(20, "stop");
        insert.setObject(21, row.call());
        insert.setInt(22, row.attempt());
        insert.executeUpdate();
      }
    }
  }

  private String one(String sql) throws SQLException {
    return database.rows(sql).getFirst().getOrDefault("x", "null");
  }

  private void check(List<Row> rows) throws SQLException {
    assertThat(one("SELECT count(*) AS x FROM llm_requests")).isEqualTo("0");
    assertThat(one("SELECT count(*) AS x FROM ledger_entries"))
        .isEqualTo(Long.toString(rows.stream().map(Row::call).distinct().count()));
    assertThat(one("SELECT count(*) AS x FROM ledger_attempts"))
        .isEqualTo(
            Long.toString(rows.stream().filter(it -> !it.outcome().equals("cached")).count()));
    BigDecimal cost =
        rows.stream()
            .map(it -> new BigDecimal(it.cost() == null ? "0" : it.cost()))
            .reduce(BigDecimal.ZERO, BigDecimal::add);
    long tokens = rows.stream().mapToLong(Row::tokens).sum();
    for (String from : List.of("FROM ledger_entries", "FROM ledger_attempts")) {
      assertThat(new BigDecimal(one("SELECT sum(cost_usd) AS x " + from)))
          .isEqualByComparingTo(cost);
      assertThat(one("SELECT sum(input_tokens + cached_input_tokens) AS x " + from))
          .isEqualTo(Long.toString(2 * tokens));
    }
    for (Row row : rows) {
      if (row.id().equals(row.call())) {
        assertThat(
                database.rows(
                    "SELECT outcome, model, attempts FROM ledger_entries WHERE id = '%s' AND rank = 3"
                        .formatted(row.id())))
            .containsExactly(
                Map.of(
                    "outcome",
                    row.outcome(),
                    "model",
                    "m" + row.attempt(),
                    "attempts",
                    Long.toString(
                        rows.stream()
                            .filter(it -> it.call().equals(row.call()))
                            .filter(it -> !it.outcome().equals("cached"))
                            .count())));
      }
    }
    Totals.check(database);
  }

  @Test
  void itsRowsMove() throws Exception {
    database.execute("SELECT llm_requests_ensure_partition(now())");
    List<Row> rows = rows(100);
    insert(rows);
    database.migrate("14");
    assertThat(one("SELECT count(*) AS x FROM llm_requests"))
        .isEqualTo(Integer.toString(rows.size()));
    database.migrate("latest");
    check(rows);
    insert(rows);
    check(rows);
  }

  /** The migration of the rows comes between the attempts of some calls. */
  @Test
  void itsReplicasWriteMeanwhile() throws Exception {
    List<Row> rows = rows(100);
    insert(rows.subList(0, rows.size() / 3));
    database.migrate("14");
    insert(rows.subList(rows.size() / 3, 2 * rows.size() / 3));
    database.migrate("latest");
    insert(rows.subList(2 * rows.size() / 3, rows.size()));
    check(rows);
  }

  @Test
  void itsReplicasWriteDuringTheMigration() throws Exception {
    List<Row> rows = rows(900);
    int before = rows.size() * 2 / 3;
    insert(rows.subList(0, before));
    database.migrate("14");
    try (ExecutorService replicas = Executors.newVirtualThreadPerTaskExecutor()) {
      Future<?> migration =
          replicas.submit(
              () -> {
                database.migrate("latest");
                return null;
              });
      int written = before;
      while (written < rows.size() && !migration.isDone()) {
        insert(rows.subList(written, ++written));
      }
      insert(rows.subList(written, rows.size()));
      migration.get();
    }
    check(rows);
  }

  @Test
  void itsReplicasWriteTheSameRowsTwiceAndAtOnce() throws Exception {
    database.migrate("latest");
    List<Row> rows = rows(50);
    try (ExecutorService writers = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<?>> writing = new ArrayList<>();
      for (int writer = 0; writer < 4; writer++) {
        List<Row> own = new ArrayList<>(rows);
        Collections.shuffle(own, new Random(writer));
        writing.add(
            writers.submit(
                () -> {
                  insert(own);
                  return null;
                }));
      }
      for (Future<?> it : writing) {
        it.get();
      }
    }
    check(rows);
  }

  @Test
  void itsPartitionsMayStillBeMade() throws Exception {
    database.migrate("latest");
    database.execute("SELECT llm_requests_ensure_partition(now())");
    List<Row> rows = rows(20);
    insert(rows);
    check(rows);
  }

  @Test
  void aUserThatItErasesIsErasedHere() throws Exception {
    database.execute(
        "INSERT INTO users (id, role, pseudonym) VALUES ('user-1', 'member', 'erased-1')");
    insert(rows(100));
    database.migrate("latest");
    database.execute("DELETE FROM users WHERE id = 'user-1'");
    assertThat(one("SELECT count(*) AS x FROM ledger_entries WHERE user_id = 'user-1'"))
        .isEqualTo("0");
    assertThat(one("SELECT count(*) AS x FROM ledger_totals WHERE scope_id = 'user-1'"))
        .isEqualTo("0");
    Totals.check(database);
  }
}
