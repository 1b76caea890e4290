package dev.jarvis.storage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.jarvis.concurrent.Cancellation;
import dev.jarvis.storage.embedded.Stores;
import dev.jarvis.storage.embedded.TestDatabase;
import dev.jarvis.telemetry.Metric;
import dev.jarvis.telemetry.Telemetry;
import io.helidon.dbclient.DbClientException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Cancels statements on a pool of one connection, so that each shows the effects of the previous.
 */
@Timeout(120)
class CancelledStatementsTest {
  private static final Duration LIMIT = Duration.ofSeconds(50);

  @TempDir static Path home;
  private static TestDatabase postgres;
  private static Telemetry telemetry;
  private static Database database;

  /** Observes the backend of the other pool. */
  private static Database watcher;

  @BeforeAll
  static void open() throws Exception {
    postgres = TestDatabase.create();
    telemetry = Recorded.start();
    database = Stores.database(postgres.config(1, LIMIT), home, telemetry);
    watcher = Stores.database(postgres.config(1, LIMIT), home, telemetry);
  }

  @AfterAll
  static void close() throws Exception {
    watcher.close();
    database.close();
    telemetry.close();
    postgres.close();
  }

  private static int number(Database database, String name, String sql) {
    return database.execute(
        db -> db.createNamedGet(name, sql).execute().orElseThrow().column("n").getInt());
  }

  private static int pid() {
    return number(database, "pid", "SELECT pg_backend_pid() AS n");
  }

  private static int active(int pid) {
    return number(
        watcher,
        "active",
        "SELECT count(*)::int AS n FROM pg_stat_activity WHERE state <> 'idle' AND pid = " + pid);
  }

  @Test
  void aStatementEndsWithItsScopeAndTheConnectionServesTheNext() throws Exception {
    int pid = pid();
    Cancellation scope = new Cancellation();
    CompletableFuture<Integer> sleeping =
        CompletableFuture.supplyAsync(
            () -> scope.call(() -> number(database, "asleep", "SELECT 1 AS n FROM pg_sleep(60)")));
    await().atMost(LIMIT).until(() -> active(pid) == 1);

    scope.cancel();

    assertThatThrownBy(() -> sleeping.get(LIMIT.toSeconds(), TimeUnit.SECONDS))
        .isInstanceOf(ExecutionException.class)
        .cause()
        .isInstanceOf(DbClientException.class)
        .hasStackTraceContaining("canceling statement due to user request")
        .satisfies(
            e -> {
              assertThat(scope.<Boolean, RuntimeException>call(() -> Database.isCancelled(e)))
                  .isTrue();
              assertThat(Database.isCancelled(e)).as("outside the scope").isFalse();
            });
    assertThat(active(pid)).isZero();
    assertThat(pid()).as("the same backend").isEqualTo(pid);
    assertThat(Recorded.value(Metric.DB_CLIENT_OPERATION_ERRORS, "postgresql", "asleep"))
        .as("a cancelled statement is no error")
        .isIn(Optional.empty(), Optional.of(0L));
    assertThatThrownBy(() -> scope.run(() -> pid()))
        .as("no statement starts in a cancelled scope")
        .isInstanceOf(DbClientException.class)
        .hasMessageContaining("cancelled");
    assertThat(pid()).isEqualTo(pid);
  }

  @Test
  void aTransactionEndsWithItsScope() throws Exception {
    int pid = pid();
    Cancellation scope = new Cancellation();
    CompletableFuture<Integer> sleeping =
        CompletableFuture.supplyAsync(
            () ->
                scope.call(
                    () ->
                        number(
                            database,
                            "locked",
                            "WITH locked AS (SELECT pg_advisory_xact_lock(7)) SELECT 1 AS n FROM locked, pg_sleep(60)")));
    await().atMost(LIMIT).until(() -> active(pid) == 1);

    scope.cancel();

    assertThatThrownBy(() -> sleeping.get(LIMIT.toSeconds(), TimeUnit.SECONDS))
        .hasStackTraceContaining("canceling statement");
    assertThat(number(watcher, "free", "SELECT pg_try_advisory_lock(7)::int AS n")).isEqualTo(1);
    assertThat(pid()).isEqualTo(pid);
  }

  @Test
  void aLateCancelNeverHitsAnotherStatement() {
    int pid = pid();
    Random random = new Random(1);
    int cancelled = 0;
    for (int round = 0; round < 200; round++) {
      Cancellation scope = new Cancellation();
      CompletableFuture<Void> cancelling =
          CompletableFuture.runAsync(
              scope::cancel,
              CompletableFuture.delayedExecutor(random.nextInt(6_000), TimeUnit.MICROSECONDS));
      try {
        scope.run(() -> number(database, "short", "SELECT 1 AS n FROM pg_sleep(0.002)"));
      } catch (DbClientException e) {
        cancelled++;
      }

      assertThat(number(database, "next", "SELECT pg_backend_pid() AS n FROM pg_sleep(0.001)"))
          .isEqualTo(pid);
      cancelling.join();
    }
    assertThat(cancelled).as("of 200").isBetween(1, 199);
  }
}
