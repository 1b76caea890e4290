package dev.jarvis.ledger;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.jarvis.config.Configs;
import dev.jarvis.gateway.LedgerEntry;
import dev.jarvis.storage.Database;
import dev.jarvis.storage.DatabaseConfig;
import dev.jarvis.storage.Recorded;
import dev.jarvis.storage.embedded.Stores;
import dev.jarvis.telemetry.Metric;
import dev.jarvis.telemetry.Telemetry;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A PostgreSQL of its own that crashes, freezes and turns read-only while calls end. */
@Timeout(240)
class LedgerFaultsTest {
  private static final Duration LIMIT = Duration.ofSeconds(60);
  private static final DatabaseConfig DATABASE =
      Configs.of(DatabaseConfig.class, Map.of("query-timeout", "1s"));
  private static final LedgerConfig LEDGER = Configs.of(LedgerConfig.class, Map.of());
  private static final int EACH = 50;

  @TempDir Path home;
  private int settled;

  @Test
  void everyEntryIsWrittenOnceWhateverPostgresqlDoes() throws Exception {
    try (Telemetry telemetry = Recorded.start();
        Database database = Stores.database(DATABASE, home, telemetry);
        Ledger ledger = Ledger.open(LEDGER, home, database, telemetry)) {
      ledger.start();
      settle(ledger);
      awaitAll(database);

      signal("STOP", processes());
      settle(ledger);
      awaitWaiting();
      signal("CONT", processes());
      awaitAll(database);

      readOnly(true);
      settle(ledger);
      awaitWaiting();
      readOnly(false);
      awaitAll(database);

      List<ProcessHandle> backends = processes().skip(1).toList();
      signal("KILL", Stream.of(backends.getLast())); // PostgreSQL ends all others and recovers
      settle(ledger);
      awaitAll(database);

      assertThat(Recorded.value(Metric.LEDGER_ROWS, "error")).hasValue(0L);
      assertThat(Recorded.value(Metric.LEDGER_ROWS, "dropped")).hasValue(0L);
    }
  }

  @Test
  void whatWasNotWrittenAtTheEndIsWrittenByTheNextProcess() throws Exception {
    try (Telemetry telemetry = Recorded.start();
        Database database = Stores.database(DATABASE, home, telemetry)) {
      try (Ledger ledger = Ledger.open(LEDGER, home, database, telemetry)) {
        ledger.start();
        settle(ledger);
        awaitAll(database);
        readOnly(true);
        settle(ledger);
        awaitWaiting();
      }
      readOnly(false);
      try (Ledger ledger = Ledger.open(LEDGER, home, database, telemetry)) {
        ledger.start();
        assertThat(ledger.spoolIsNew()).isFalse();
        awaitAll(database);
      }
    }
  }

  private void settle(Ledger ledger) {
    List<UUID> ids =
        IntStream.range(0, EACH).mapToObj(i -> LedgerEntries.at(Instant.now()).id()).toList();
    Intents intents = new Intents();
    for (UUID id : ids) {
      var account = ledger.open(intents.of(id), false);
      account.attempt(Intents.TARGET, List.of());
      LedgerEntry entry = LedgerEntries.of(id, LedgerEntries.attempt());
      ledger.settle(entry);
      account.settle(entry);
    }
    settled += EACH;
  }

  private static void awaitWaiting() {
    await().atMost(LIMIT).until(() -> Recorded.value(Metric.LEDGER_SPOOL_AGE).orElse(0L) > 0);
    assertThat(Recorded.value(Metric.LEDGER_SPOOL_RECORDS)).hasValue((long) EACH);
  }

  private void awaitAll(Database database) {
    await().atMost(LIMIT).until(() -> Recorded.value(Metric.LEDGER_SPOOL_RECORDS).orElse(-1L) == 0);
    await()
        .atMost(LIMIT)
        .ignoreExceptions() // connections that broke
        .untilAsserted(
            () -> {
              assertThat(count(database, "SELECT count(*) AS n FROM ledger_entries"))
                  .isEqualTo(settled);
              assertThat(count(database, "SELECT count(*) AS n FROM ledger_attempts"))
                  .isEqualTo(settled);
              assertThat(
                      count(
                          database,
                          "SELECT sum(calls) AS n FROM ledger_totals WHERE scope = 'user'"))
                  .isEqualTo(settled);
            });
  }

  private static long count(Database database, String sql) {
    return database
        .execute(
            db ->
                db.createNamedGet("count", sql)
                    .execute()
                    .orElseThrow()
                    .column("n")
                    .get(Number.class))
        .longValue();
  }

  private Path data() {
    return home.resolve("postgres").resolve("data");
  }

  private List<String> pidFile() throws IOException {
    return Files.readAllLines(data().resolve("postmaster.pid"), UTF_8);
  }

  /** The server first. */
  private Stream<ProcessHandle> processes() throws IOException {
    ProcessHandle server =
        ProcessHandle.of(Long.parseLong(pidFile().getFirst().strip())).orElseThrow();
    return Stream.concat(Stream.of(server), server.children().toList().stream());
  }

  private static void signal(String name, Stream<ProcessHandle> processes) throws Exception {
    for (ProcessHandle it : processes.toList()) {
      new ProcessBuilder("kill", "-" + name, Long.toString(it.pid())).start().waitFor();
    }
  }

  private void readOnly(boolean on) throws IOException, SQLException {
    String url = "jdbc:postgresql://localhost:%s/jarvis".formatted(pidFile().get(3).strip());
    String password = Files.readString(home.resolve("postgres").resolve("password")).strip();
    try (Connection connection = DriverManager.getConnection(url, "postgres", password);
        Statement statement = connection.createStatement()) {
      statement.execute(
          "ALTER ROLE jarvis SET default_transaction_read_only = " + (on ? "on" : "off"));
      statement.execute(
          "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'jarvis'");
    }
  }
}
