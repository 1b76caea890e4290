package dev.jarvis.document.search;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.jarvis.config.Configs;
import dev.jarvis.document.IndexedDocument;
import dev.jarvis.storage.Database;
import dev.jarvis.storage.DatabaseConfig;
import dev.jarvis.storage.Recorded;
import dev.jarvis.storage.embedded.Stores;
import dev.jarvis.telemetry.Telemetry;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Search by meaning on a PostgreSQL with pgvector, which {@code make e2e} installs. */
class PgvectorIT {
  private static final Duration LIMIT = Duration.ofSeconds(30);
  private static final int DIMENSIONS = 384;
  private static final String PASSWORD = UUID.randomUUID().toString();

  private static Process server;
  private static int port;

  @BeforeAll
  static void start() throws Exception {
    Path home = Path.of(System.getenv("JARVIS_E2E_PGVECTOR"));
    Path programs = home.resolve("embedded_postgres/pginstall/bin");
    Path data = Files.createDirectory(home.resolve("data"));
    Path password = Files.writeString(home.resolve("password"), PASSWORD);
    boolean root =
        System.getProperty("user.name").equals("root"); // PostgreSQL refuses to run as root
    if (root) {
      run("chown", "postgres", data.toString(), password.toString());
    }
    List<String> user =
        root
            ? List.of("setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups")
            : List.of();
    run(
        with(
            user,
            programs.resolve("initdb").toString(),
            "-D" + data,
            "-Ujarvis",
            "-Ascram-sha-256",
            "-EUTF8",
            "--locale=C.UTF-8",
            "--pwfile=" + password));
    try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      port = free.getLocalPort();
    }
    server =
        new ProcessBuilder(
                with(
                    user,
                    programs.resolve("postgres").toString(),
                    "-D" + data,
                    "-cport=" + port,
                    "-clisten_addresses=127.0.0.1",
                    "-cunix_socket_directories="))
            .directory(home.toFile())
            .redirectErrorStream(true)
            .redirectOutput(home.resolve("postgres.log").toFile())
            .start();
    await().atMost(LIMIT).ignoreException(SQLException.class).until(() -> sql("SELECT 1"));
    sql("CREATE ROLE plain LOGIN PASSWORD '" + PASSWORD + "'");
    sql("CREATE DATABASE plain OWNER plain");
  }

  @AfterAll
  static void stop() throws Exception {
    server.destroy();
    if (!server.waitFor(20, TimeUnit.SECONDS)) {
      server.descendants().forEach(ProcessHandle::destroyForcibly);
      server.destroyForcibly().waitFor();
    }
  }

  private static String[] with(List<String> first, String... rest) {
    List<String> all = new ArrayList<>(first);
    all.addAll(Arrays.asList(rest));
    return all.toArray(String[]::new);
  }

  private static void run(String... command) throws IOException, InterruptedException {
    Process process =
        new ProcessBuilder(command).directory(Path.of("/").toFile()).inheritIO().start();
    assertThat(process.waitFor(LIMIT.toSeconds(), TimeUnit.SECONDS)).isTrue();
    assertThat(process.exitValue()).as(Arrays.toString(command)).isZero();
  }

  private static boolean sql(String text) throws SQLException {
    return sql("postgres", text);
  }

  private static boolean sql(String database, String text) throws SQLException {
    try (Connection connection = DriverManager.getConnection(url(database), "jarvis", PASSWORD);
        Statement statement = connection.createStatement()) {
      return statement.execute(text);
    }
  }

  private static String url(String database) {
    return "jdbc:postgresql://127.0.0.1:" + port + "/" + database;
  }

  private static Database open(String name, String user, Path home, Telemetry telemetry)
      throws IOException {
    return Stores.database(
        Configs.of(
            DatabaseConfig.class,
            Map.of(
                "url",
                url(name),
                "username",
                user,
                "password",
                PASSWORD,
                "query-timeout",
                LIMIT.toString())),
        home,
        telemetry);
  }

  private static float[] vector(Random random) {
    float[] vector = new float[DIMENSIONS];
    for (int i = 0; i < DIMENSIONS; i++) {
      vector[i] = (float) random.nextGaussian();
    }
    return vector;
  }

  /** A document of 200 passages. */
  private static UUID add(Database database, String user, String model, Random random) {
    List<String> passages = IntStream.range(0, 200).mapToObj(i -> "Passage " + i).toList();
    List<float[]> vectors = passages.stream().map(it -> vector(random)).toList();
    return IndexedDocument.add(database, user, passages, model, vectors);
  }

  @Test
  void ranksLikeTheBruteForceSearch(@TempDir Path home) throws Exception {
    Random random = new Random(1);
    try (Telemetry telemetry = Recorded.start();
        Database database = open("postgres", "jarvis", home, telemetry)) {
      assertThat(Pgvector.available(database)).as("a superuser may create the extension").isTrue();
      UUID mine = add(database, "alice", "model", random);
      UUID other = add(database, "alice", "model", random);
      add(database, "alice", "another-model", random);
      add(database, "bob", "model", random);
      PassageStore by = new PassageStore(database, true, LIMIT);
      PassageStore exact = new PassageStore(database, false, LIMIT);
      for (int i = 0; i < 10; i++) {
        float[] question = vector(random);
        List<PassageId> found =
            by.byVector(SearchedFiles.of("alice"), "model", question, 50).orElseThrow();
        assertThat(found)
            .hasSize(50)
            .isEqualTo(
                exact.byVector(SearchedFiles.of("alice"), "model", question, 50).orElseThrow());
        assertThat(found).extracting(PassageId::documentId).containsOnly(mine, other);
        assertThat(
                by.byVector(
                        new SearchedFiles("alice", List.of(other), Filter.NONE),
                        "model",
                        question,
                        50)
                    .orElseThrow())
            .extracting(PassageId::documentId)
            .containsOnly(other);
      }
      float[] two = {1, 2};
      assertThat(by.byVector(SearchedFiles.of("alice"), "model", two, 50).orElseThrow())
          .as("a model that changed its dimensions")
          .isEqualTo(exact.byVector(SearchedFiles.of("alice"), "model", two, 50).orElseThrow())
          .isEmpty();
    }
  }

  @Test
  void isUnavailableUntilAPrivilegedUserCreatesIt(@TempDir Path home) throws Exception {
    try (Telemetry telemetry = Recorded.start();
        Database database = open("plain", "plain", home, telemetry)) {
      assertThat(Pgvector.available(database)).isFalse();
      sql("plain", "CREATE EXTENSION vector");
      assertThat(Pgvector.available(database)).isTrue();
    }
  }
}
