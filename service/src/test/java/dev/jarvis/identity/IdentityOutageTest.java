package dev.jarvis.identity;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.awaitility.Awaitility.await;

import dev.jarvis.config.Configs;
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
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** PostgreSQL hangs or is stopped: a server of this test's own. */
class IdentityOutageTest {
  private static final Duration LIMIT = Duration.ofSeconds(30);
  private static final String ROOT = "root-key-0123456789-0123456789-01";
  private static final String HERE = "192.0.2.7";

  @TempDir Path home;

  /** How far the clocks are ahead. */
  private final AtomicLong ahead = new AtomicLong();

  private Telemetry telemetry;
  private Database server;
  private Database database;
  private Identities identities;
  private KeyUse uses;
  private Authenticator clients;
  private ApiKey known;
  private ApiKey unknown;

  @BeforeEach
  void open() throws Exception {
    telemetry = Recorded.start();
    server = Stores.database(Configs.of(DatabaseConfig.class, Map.of()), home, telemetry);
    database = Stores.database(config(), home, telemetry);
    IdentityConfig config = Configs.of(IdentityConfig.class, Map.of());
    identities = new Identities(config, database, telemetry.instruments(), this::nanoTime);
    ApiKeys keys = ApiKeys.open(List.of(ApiKeys.admin(ROOT)), home.resolve("none"), key -> {});
    identities.addMissing(keys.users());
    uses = new KeyUse(database, 10);
    clients =
        new Authenticator(
            config,
            keys,
            identities,
            uses,
            null,
            telemetry.instruments(),
            () -> Instant.now().plusNanos(ahead.get()),
            this::nanoTime);
    try (Connection connection = DriverManager.getConnection(url(), "jarvis", password())) {
      known = TestKeys.add(connection, "ann");
      unknown = TestKeys.add(connection, "bob");
      try (Statement statement = connection.createStatement()) {
        statement.execute("UPDATE api_keys SET expires_at = now() + interval '30 minutes'");
      }
    }
    assertThat(outcome(known.text())).isEqualTo("ok");
  }

  @AfterEach
  void close() throws Exception {
    uses.close();
    identities.close();
    database.close();
    server.close();
    telemetry.close();
  }

  private long nanoTime() {
    return System.nanoTime() + ahead.get();
  }

  private void later(Duration time) {
    ahead.addAndGet(time.toNanos());
  }

  private String outcome(String credential) {
    AuthenticationFailure failure =
        catchThrowableOfType(
            AuthenticationFailure.class, () -> clients.authenticate(credential, HERE));
    return failure == null ? "ok" : failure.reason().id() + " " + failure.error().code();
  }

  private void assertTheOutage() {
    assertThat(outcome(unknown.text())).isEqualTo("unavailable identity_unavailable");
    assertThat(outcome(known.text())).isEqualTo("ok");
    assertThat(outcome(ROOT)).isEqualTo("ok");
    assertThat(outcome(TestKeys.guess(known).text())).isEqualTo("unknown_key invalid_api_key");
    assertThat(outcome("no key at all")).isEqualTo("unknown_key invalid_api_key");

    later(Duration.ofMinutes(20));
    assertThat(outcome(known.text())).isEqualTo("ok");
    assertThat(outcome(unknown.text())).isEqualTo("unavailable identity_unavailable");
    assertThat(Recorded.value(Metric.IDENTITY_SYNC_AGE).orElseThrow()).isGreaterThan(1_000);
    later(Duration.ofMinutes(20));
    assertThat(outcome(known.text())).isEqualTo("expired_key invalid_api_key");
    assertThat(outcome(ROOT)).isEqualTo("ok");
    later(Duration.ofMinutes(25));
    assertThat(outcome(known.text())).isEqualTo("unavailable identity_unavailable");
    assertThat(outcome(ROOT)).isEqualTo("unavailable identity_unavailable");
  }

  @Test
  void whileItHangs() throws Exception {
    List<ProcessHandle> processes = serverProcesses();
    signal("-STOP", processes);
    try {
      assertTheOutage();
    } finally {
      signal("-CONT", processes);
    }
    await()
        .atMost(LIMIT)
        .untilAsserted(
            () -> {
              assertThat(outcome(ROOT)).isEqualTo("ok");
              assertThat(outcome(unknown.text())).isEqualTo("expired_key invalid_api_key");
            });
    assertThat(Recorded.value(Metric.IDENTITY_SYNC_AGE).orElseThrow()).isLessThan(100);
  }

  @Test
  void whileItIsStopped() throws Exception {
    server.close();

    assertTheOutage();

    server = Stores.database(Configs.of(DatabaseConfig.class, Map.of()), home, telemetry);
  }

  private DatabaseConfig config() throws IOException {
    return Configs.of(
        DatabaseConfig.class,
        Map.of(
            "url", url(),
            "username", "jarvis",
            "password", password(),
            "pool-size", "2",
            "query-timeout", "1s"));
  }

  private String url() throws IOException {
    return "jdbc:postgresql://localhost:%s/jarvis"
        .formatted(Files.readAllLines(pidFile()).get(3).strip());
  }

  private String password() throws IOException {
    return Files.readString(home.resolve("postgres/password")).strip();
  }

  private Path pidFile() {
    return home.resolve("postgres/data/postmaster.pid");
  }

  private List<ProcessHandle> serverProcesses() throws IOException {
    String pid = Files.readAllLines(pidFile()).getFirst();
    ProcessHandle postmaster = ProcessHandle.of(Long.parseLong(pid.strip())).orElseThrow();
    return Stream.concat(Stream.of(postmaster), postmaster.descendants()).toList();
  }

  private static void signal(String signal, List<ProcessHandle> processes) throws Exception {
    List<String> command = new ArrayList<>(List.of("kill", signal));
    processes.forEach(it -> command.add(Long.toString(it.pid())));
    assertThat(new ProcessBuilder(command).start().waitFor(20, TimeUnit.SECONDS)).isTrue();
  }
}
