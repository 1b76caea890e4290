package dev.jarvis.storage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import dev.jarvis.storage.embedded.TestDatabase;
import java.io.IOException;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import org.flywaydb.core.Flyway;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.slf4j.LoggerFactory;

/** Migrations of tables that other sessions use. */
@Timeout(90)
class SchemaTest {
  private static final Duration LIMIT = Duration.ofSeconds(30);

  private TestDatabase database;
  private PostgresUrl url;

  /** A session in the middle of a transaction, as one that an operator forgot. */
  private Connection holder;

  @BeforeEach
  void aTransactionReadsATableOfThePreviousRelease() throws Exception {
    database = TestDatabase.create();
    url = PostgresUrl.of(database.config(1, LIMIT));
    database.execute("DROP SCHEMA public CASCADE");
    database.execute("CREATE SCHEMA public");
    Flyway.configure()
        .dataSource(url.jdbc(), url.username(), url.password())
        .target("8")
        .load()
        .migrate();
    holder = database.connect();
    holder.setAutoCommit(false);
    try (Statement statement = holder.createStatement()) {
      statement.execute("SET application_name = 'a forgotten console'");
      statement.execute("SELECT * FROM documents");
    }
  }

  @AfterEach
  void close() throws Exception {
    holder.close();
    database.close();
  }

  private boolean isMigrated() throws SQLException {
    return !database
        .rows(
            "SELECT 1 AS x FROM information_schema.columns WHERE table_name = 'documents' AND column_name = 'encoding'")
        .isEmpty();
  }

  @Test
  void aMigrationThatWaitsForALockMakesWayForTheQueriesBehindIt() throws Exception {
    Logger logger = (Logger) LoggerFactory.getLogger(Schema.class);
    ListAppender<ILoggingEvent> lines = new ListAppender<>();
    lines.start();
    logger.addAppender(lines);
    FutureTask<Void> migration =
        new FutureTask<>(
            () -> {
              Schema.migrate(url, LIMIT);
              return null;
            });
    try {
      Thread.ofVirtual().start(migration);
      await()
          .atMost(LIMIT)
          .pollInterval(Duration.ofMillis(50))
          .until(() -> !database.rows("SELECT 1 AS x FROM pg_locks WHERE NOT granted").isEmpty());
      try (Connection other = database.connect();
          Statement reading = other.createStatement()) {
        reading.setQueryTimeout(Math.toIntExact(LIMIT.toSeconds()));
        reading.execute("SELECT * FROM documents"); // the holder still has its lock
      }
      await().atMost(LIMIT).until(() -> !lines.list.isEmpty());
      assertThat(isMigrated()).isFalse();
      holder.commit();
      migration.get(LIMIT.toSeconds(), TimeUnit.SECONDS);
    } finally {
      logger.detachAppender(lines);
    }
    assertThat(isMigrated()).isTrue();
    assertThat(lines.list.getFirst().getKeyValuePairs())
        .anySatisfy(
            it ->
                assertThat(it.toString())
                    .startsWith("locked=")
                    .contains(
                        "documents by session ", "(a forgotten console, idle in transaction)"));
  }

  @Test
  void aMigrationGivesUpAfterSomeTriesAndNamesTheLock() throws Exception {
    assertThatThrownBy(() -> Schema.migrate(url, LIMIT, 2))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("held locks for more than 2 s at each of 2 tries")
        .hasMessageContaining("Locked: documents by session ")
        .hasMessageContaining("(a forgotten console, idle in transaction)");
    assertThat(isMigrated()).isFalse();
    holder.commit();
    Schema.migrate(url, LIMIT);
    assertThat(isMigrated()).isTrue();
  }
}
