package dev.jarvis.storage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.jarvis.config.Configs;
import dev.jarvis.storage.embedded.Stores;
import dev.jarvis.telemetry.Metric;
import dev.jarvis.telemetry.Telemetry;
import io.helidon.dbclient.DbClientException;
import io.micrometer.core.instrument.Metrics;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.context.Scope;
import io.opentelemetry.sdk.trace.data.SpanData;
import io.opentelemetry.sdk.trace.data.StatusData;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DatabaseTest {
  private static final Duration LIMIT = Duration.ofSeconds(30);
  private static final DatabaseConfig EMBEDDED =
      Configs.of(DatabaseConfig.class, Map.of("pool-size", "4", "query-timeout", LIMIT.toString()));

  @TempDir static Path home;
  private static final SimpleMeterRegistry METERS = new SimpleMeterRegistry();
  private static Telemetry telemetry;
  private static Database database;

  /** A client of the same PostgreSQL with short timeouts. */
  private static Database hasty;

  @BeforeAll
  static void open() throws IOException {
    Metrics.addRegistry(METERS);
    telemetry = Recorded.start();
    database = Stores.database(EMBEDDED, home, telemetry);
    hasty = Stores.database(config(url(password()), LIMIT, Duration.ofSeconds(1)), home, telemetry);
  }

  @AfterAll
  static void close() throws IOException {
    hasty.close();
    database.close();
    telemetry.close();
    Metrics.removeRegistry(METERS);
  }

  @Test
  void aTransactionThatDoesNothingIsEndedByTheServer() {
    assertThat(
            database.transaction(
                Sql.get(
                    "show_idle",
                    "SELECT current_setting('idle_in_transaction_session_timeout') AS s",
                    it -> it.column("s").getString())))
        .contains("10s");
  }

  @Test
  void givesEachStatementASpanUnderTheCurrentOneAndADuration() {
    Span parent = telemetry.tracer().spanBuilder("request").startSpan();
    try (Scope ignored = parent.makeCurrent()) {
      int one =
          database.execute(
              db ->
                  db.createNamedGet("select_one", "SELECT 1 AS one")
                      .execute()
                      .orElseThrow()
                      .column("one")
                      .getInt());
      assertThat(one).isEqualTo(1);
    }
    SpanData span = Recorded.spans("select_one postgresql").getFirst();
    assertThat(span.getParentSpanId()).isEqualTo(parent.getSpanContext().getSpanId());
    assertThat(span.getStatus()).isEqualTo(StatusData.unset());
    assertThat(Recorded.value(Metric.DB_CLIENT_OPERATION_DURATION, "postgresql", "select_one"))
        .hasValue(1L);
  }

  @Test
  void recordsNoSpanForAPoll() {
    int one =
        database.poll(
            db ->
                db.createNamedGet("polled", "SELECT 1 AS one")
                    .execute()
                    .orElseThrow()
                    .column("one")
                    .getInt());
    assertThat(one).isEqualTo(1);
    assertThat(Recorded.spans("polled postgresql")).isEmpty();
  }

  @Test
  void countsAFailedStatementAndEndsItsSpanAsFailed() {
    assertThatThrownBy(
            () -> database.execute(db -> db.createNamedGet("broken", "SELECT nothing").execute()))
        .isInstanceOf(DbClientException.class);

    assertThat(Recorded.spans("broken postgresql").getFirst().getStatus().getStatusCode().name())
        .isEqualTo("ERROR");
    assertThat(Recorded.value(Metric.DB_CLIENT_OPERATION_ERRORS, "postgresql", "broken"))
        .hasValue(1L);
  }

  @Test
  void endsAStatementThatTakesTooLong() {
    // opening its first connection may take longer on a busy machine
    await().atMost(LIMIT).ignoreExceptions().until(() -> one(hasty).isPresent());
    long start = System.nanoTime();
    assertThatThrownBy(
            () -> hasty.execute(db -> db.createNamedGet("slow", "SELECT pg_sleep(60)").execute()))
        .hasStackTraceContaining("statement timeout");
    assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(LIMIT);
  }

  @Test
  void checksWithoutASpan() throws SQLException {
    int before = Recorded.spans().size();
    database.check();
    assertThat(Recorded.spans()).hasSize(before);
  }

  /** With a pool that this test opens, because pools share meters and closing one removes them. */
  @Test
  void registersTheMetersOfThePool() throws IOException {
    try (Database ignored =
        Stores.database(config(url(password()), LIMIT, LIMIT), home, telemetry)) {
      assertThat(METERS.get("hikaricp.connections.max").tag("pool", "jarvis").gauge().value())
          .isPositive();
    }
  }

  @Test
  void requiresThePassword() throws IOException {
    for (String user : new String[] {"postgres", "jarvis"}) {
      String url = "jdbc:postgresql://localhost:%s/jarvis?user=%s".formatted(port(), user);
      assertThatThrownBy(() -> DriverManager.getConnection(url).close())
          .isInstanceOf(SQLException.class)
          .hasMessageContaining("password");
    }
    assertThat(mode("postgres")).isEqualTo("rwx------");
    assertThat(mode("postgres/password")).isEqualTo("rw-------");
  }

  private static DatabaseConfig config(String url, Duration connect, Duration query) {
    return Configs.of(
        DatabaseConfig.class,
        Map.of(
            "url",
            url,
            "pool-size",
            "1",
            "connect-timeout",
            connect.toString(),
            "query-timeout",
            query.toString()));
  }

  private static String url(String password) throws IOException {
    return "postgres://jarvis:%s@localhost:%s/jarvis".formatted(password, port());
  }

  private static String password() throws IOException {
    return Files.readString(home.resolve("postgres/password")).strip();
  }

  private static String port() throws IOException {
    return Files.readAllLines(home.resolve("postgres/data/postmaster.pid")).get(3).strip();
  }

  private static String mode(String path) throws IOException {
    return PosixFilePermissions.toString(Files.getPosixFilePermissions(home.resolve(path)));
  }

  @Test
  void refusesASecondJarvisOnTheSameFolder() {
    assertThatThrownBy(() -> Stores.database(EMBEDDED, home, telemetry))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("another JARVIS uses the folder " + home.resolve("postgres"));
  }

  @Test
  void namesTheServerThatDoesNotAnswerInTime() throws IOException {
    int port;
    try (ServerSocket socket = new ServerSocket(0)) {
      port = socket.getLocalPort();
    }
    String url = "postgres://ann:s3cret@localhost:%d/jarvis".formatted(port);

    assertThatThrownBy(
            () -> Stores.database(config(url, Duration.ofSeconds(1), LIMIT), home, telemetry))
        .isInstanceOf(IOException.class)
        .hasMessage(
            "PostgreSQL at jdbc:postgresql://localhost:%d/jarvis did not answer within 1 s", port);
  }

  @Test
  void reportsAWrongPasswordAtOnce() throws IOException {
    DatabaseConfig config = config(url("wrong"), Duration.ofMinutes(2), LIMIT);

    long start = System.nanoTime();
    assertThatThrownBy(() -> Stores.database(config, home, telemetry))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("password authentication failed");
    assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofMinutes(1));
  }

  @Test
  void waitsAtStartForAServerThatAcceptsNoConnectionsYet() throws Exception {
    DatabaseConfig config = config(url(password()), Duration.ofMinutes(2), LIMIT);
    asSuperuser("ALTER ROLE jarvis CONNECTION LIMIT 0");
    CompletableFuture<Database> opening =
        CompletableFuture.supplyAsync(
            () -> {
              try {
                return Stores.database(config, home, telemetry);
              } catch (IOException e) {
                throw new UncheckedIOException(e);
              }
            });
    try {
      await().during(Duration.ofMillis(700)).atMost(LIMIT).until(() -> !opening.isDone());
    } finally {
      asSuperuser("ALTER ROLE jarvis CONNECTION LIMIT -1");
    }
    try (Database late = opening.get(LIMIT.toSeconds(), TimeUnit.SECONDS)) {
      late.check();
    }
  }

  /** As a primary that became a standby. */
  @Test
  void aReadOnlyServerIsUnavailableAndUnhealthy() throws Exception {
    asSuperuser("ALTER ROLE jarvis SET default_transaction_read_only = on");
    try {
      disconnectAll();
      await()
          .atMost(Duration.ofSeconds(20))
          .untilAsserted(
              () -> assertThatThrownBy(database::check).hasMessage("PostgreSQL is read-only"));
      assertThatThrownBy(
              () ->
                  database.execute(
                      db -> db.createNamedDelete("refused", "DELETE FROM documents").execute()))
          .satisfies(
              e -> {
                assertThat(e).hasStackTraceContaining("read-only transaction");
                assertThat(Database.isAway(e)).isTrue();
                assertThat(Database.mayRetry(e)).isTrue();
              });
    } finally {
      asSuperuser("ALTER ROLE jarvis RESET default_transaction_read_only");
      disconnectAll();
    }
    await().atMost(Duration.ofSeconds(20)).ignoreExceptions().untilAsserted(database::check);
  }

  private static void disconnectAll() throws Exception {
    asSuperuser("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'jarvis'");
  }

  @Test
  void anErrorOfTheDataOrABugIsNotRetried() {
    assertThatThrownBy(
            () -> database.execute(db -> db.createNamedGet("zero", "SELECT 1 / 0").execute()))
        .matches(e -> !Database.mayRetry(e) && !Database.isAway(e));
    assertThat(Database.mayRetry(new IllegalStateException("a bug"))).isFalse();
  }

  private static void asSuperuser(String sql) throws Exception {
    String url = "jdbc:postgresql://localhost:%s/postgres".formatted(port());
    try (Connection connection = DriverManager.getConnection(url, "postgres", password());
        Statement statement = connection.createStatement()) {
      statement.execute(sql);
    }
  }

  @Test
  void aStalledServerBlocksNoCallerBeyondTheTimeouts() throws Exception {
    await().atMost(LIMIT).ignoreExceptions().untilAsserted(hasty::check);
    List<ProcessHandle> processes = serverProcesses();
    signal("-STOP", processes);
    try {
      long start = System.nanoTime();
      assertThatThrownBy(
              () -> hasty.execute(db -> db.createNamedGet("stalled", "SELECT 1").execute()))
          .isInstanceOf(DbClientException.class);
      assertThatThrownBy(hasty::check).isInstanceOf(Exception.class);
      assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(LIMIT);
    } finally {
      signal("-CONT", processes);
    }
    await().atMost(LIMIT).ignoreExceptions().untilAsserted(hasty::check);
  }

  private static List<ProcessHandle> serverProcesses() throws IOException {
    String pid = Files.readAllLines(home.resolve("postgres/data/postmaster.pid")).getFirst();
    ProcessHandle postmaster = ProcessHandle.of(Long.parseLong(pid.strip())).orElseThrow();
    return Stream.concat(Stream.of(postmaster), postmaster.descendants()).toList();
  }

  private static void signal(String signal, List<ProcessHandle> processes) throws Exception {
    List<String> command = new ArrayList<>(List.of("kill", signal));
    processes.forEach(it -> command.add(Long.toString(it.pid())));
    assertThat(new ProcessBuilder(command).start().waitFor(20, TimeUnit.SECONDS)).isTrue();
  }

  @Test
  void aTransactionIsCommittedAsAWholeOrNotAtAll() {
    database.execute(Sql.update("create", "CREATE TABLE pairs (value integer)"));
    for (int i = 0; i < 10; i++) { // more often than there are connections
      int value = i;
      database.transaction(
          db ->
              Sql.update("insert", "INSERT INTO pairs VALUES (?)", value).apply(db)
                  + Sql.update("insert", "INSERT INTO pairs VALUES (?)", value).apply(db));
      assertThatThrownBy(
              () ->
                  database.transaction(
                      db ->
                          Sql.update("insert", "INSERT INTO pairs VALUES (?)", value).apply(db)
                              + Sql.update("insert", "INSERT INTO missing VALUES (?)", value)
                                  .apply(db)))
          .isInstanceOf(DbClientException.class);
    }

    assertThat(
            database.execute(
                Sql.list(
                    "count",
                    "SELECT value, count(*) AS n FROM pairs GROUP BY value",
                    row -> row.column("n").get(Long.class))))
        .hasSize(10)
        .containsOnly(2L);
  }

  private static Optional<Integer> one(Database of) {
    return of.execute(Sql.get("one", "SELECT 1 AS one", it -> it.column("one").getInt()));
  }
}
