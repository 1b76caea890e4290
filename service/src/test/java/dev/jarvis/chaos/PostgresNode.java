package dev.jarvis.chaos;

import static org.awaitility.Awaitility.await;

import dev.jarvis.Programs;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Properties;

/**
 * A server of Debian's PostgreSQL in a folder of its own, on a free port. It commits asynchronously
 * unless a session asks otherwise: what a client believes to be written may be lost when the server
 * crashes.
 */
final class PostgresNode implements AutoCloseable {
  private static final Duration LIMIT = Duration.ofSeconds(30);
  private static final boolean IS_ROOT = System.getProperty("user.name").equals("root");

  private final Path folder;
  private final int port;
  private ServerProcess process;

  private PostgresNode(Path folder, int port) throws IOException {
    this.folder = folder;
    this.port = port;
    start();
  }

  /** Starts a new, empty server with the database jarvis. */
  static PostgresNode create(Path folder) throws IOException, InterruptedException {
    run("initdb", "-D", data(folder), "-U", "jarvis", "-A", "trust", "-E", "UTF8", "--no-sync");
    Files.writeString(folder.resolve("data/postgresql.conf"), CONFIGURATION);
    PostgresNode node = new PostgresNode(folder, ServerProcess.freePort());
    node.execute("postgres", "CREATE DATABASE jarvis");
    return node;
  }

  private static final String CONFIGURATION =
      """
      listen_addresses = '127.0.0.1'
      unix_socket_directories = ''
      fsync = off
      full_page_writes = off
      synchronous_commit = off
      wal_writer_delay = 10s
      shared_buffers = 32MB
      max_connections = 60
      wal_level = replica
      hot_standby = on
      log_line_prefix = '%m '
      """;

  /** Copies this server to a new one that follows it, through a port of its primary. */
  PostgresNode standby(Path to, int primaryPort) throws IOException, InterruptedException {
    run(
        "pg_basebackup",
        "-D",
        data(to),
        "-d",
        "host=127.0.0.1 user=jarvis port=" + primaryPort,
        "-R",
        "--checkpoint=fast",
        "--no-sync");
    return new PostgresNode(to, ServerProcess.freePort());
  }

  private static String data(Path folder) throws IOException, InterruptedException {
    Files.createDirectories(folder);
    if (IS_ROOT) {
      Programs.run(List.of("chown", "postgres", folder.toString()));
    }
    return folder.resolve("data").toString();
  }

  /** A program of PostgreSQL, which refuses to run as root. */
  private static List<String> command(String program, String... arguments) throws IOException {
    List<String> command = new ArrayList<>();
    if (IS_ROOT) {
      command.addAll(List.of("setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"));
    }
    try (var versions = Files.list(Path.of("/usr/lib/postgresql"))) {
      command.add(versions.sorted().toList().getLast().resolve("bin").resolve(program).toString());
    }
    command.addAll(List.of(arguments));
    return command;
  }

  private static void run(String program, String... arguments)
      throws IOException, InterruptedException {
    Programs.run(Path.of("/"), command(program, arguments));
  }

  /** Starts the server after a stop, and waits until it accepts connections. */
  void start() throws IOException {
    process =
        ServerProcess.start(
            command(
                "postgres", "-D", folder.resolve("data").toString(), "-p", Integer.toString(port)),
            Map.of(),
            folder.resolve("log"));
    await()
        .atMost(LIMIT)
        .ignoreExceptions()
        .until(() -> query("postgres", "SELECT 1").equals(List.of("1")));
  }

  int port() {
    return port;
  }

  ServerProcess process() {
    return process;
  }

  /** Stops the server; its clients are disconnected. */
  void stop() {
    process.end("INT");
  }

  /** Ends the server without writing down what is in memory only. */
  void crash() {
    process.signal("KILL");
    process.end("KILL");
  }

  void promote() {
    query("postgres", "SELECT pg_promote(true, 30)");
  }

  boolean inRecovery() {
    return query("postgres", "SELECT pg_is_in_recovery()").equals(List.of("t"));
  }

  void execute(String sql) {
    execute("jarvis", sql);
  }

  private void execute(String database, String sql) {
    try (Connection connection = connect(database);
        Statement statement = connection.createStatement()) {
      statement.execute(sql);
    } catch (SQLException e) {
      throw new AssertionError(sql, e);
    }
  }

  private List<String> query(String database, String sql) {
    try (Connection connection = connect(database);
        Statement statement = connection.createStatement();
        ResultSet result = statement.executeQuery(sql)) {
      List<String> values = new ArrayList<>();
      while (result.next()) {
        values.add(result.getString(1));
      }
      return values;
    } catch (SQLException e) {
      throw new AssertionError(sql, e);
    }
  }

  /** The first column of a query's rows. */
  List<String> query(String sql) {
    return query("jarvis", sql);
  }

  Connection connect() throws SQLException {
    return connect("jarvis");
  }

  private Connection connect(String database) throws SQLException {
    Properties properties = new Properties();
    properties.setProperty("user", "jarvis");
    properties.setProperty("connectTimeout", "5");
    properties.setProperty("socketTimeout", "20");
    return DriverManager.getConnection(
        "jdbc:postgresql://127.0.0.1:%d/%s".formatted(port, database), properties);
  }

  @Override
  public void close() {
    process.close();
  }
}
