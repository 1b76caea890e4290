package dev.jarvis.storage.embedded;

import dev.jarvis.storage.PostgresUrl;
import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.Closeable;
import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;

/**
 * Runs a real PostgreSQL as a child process; its data persists between runs. It listens on a free
 * port of the loopback interface only. Every role, including the superuser, needs the random
 * password in a file beside the data. The service uses a role without special privileges.
 */
public final class LocalPostgres implements Closeable {
  private static final String NAME = "jarvis";
  private static final Duration START_LIMIT = Duration.ofSeconds(30);

  private final ServerFolder folder;
  private final EmbeddedPostgres server;
  private final String password;

  private LocalPostgres(ServerFolder folder, EmbeddedPostgres server, String password) {
    this.folder = folder;
    this.server = server;
    this.password = password;
  }

  /**
   * Starts the server with its data in a folder, which is created if it does not exist.
   *
   * @throws IOException if another process uses the folder or the server does not start
   */
  public static LocalPostgres start(Path path) throws IOException {
    ServerFolder folder = ServerFolder.open(path);
    try {
      return start(folder);
    } catch (IOException | RuntimeException | SQLException e) {
      folder.stopOrphan(pidFile(folder));
      folder.close();
      throw new IOException(
          "the embedded PostgreSQL did not start, see " + folder.resolve("server.log"), e);
    }
  }

  private static LocalPostgres start(ServerFolder folder) throws IOException, SQLException {
    folder.stopOrphan(pidFile(folder));
    String password = folder.password();
    EmbeddedPostgres server =
        EmbeddedPostgres.builder()
            .setOverrideWorkingDirectory(folder.resolve("binaries").toFile())
            .setDataDirectory(folder.resolve("data"))
            .setCleanDataDirectory(false)
            .setRegisterShutdownHook(false) // its owner closes it, after its clients
            // the library passes "locale" options to initdb as they are, after its own "-A trust"
            .setLocaleConfig("auth", "scram-sha-256")
            .setLocaleConfig("pwfile", folder.resolve("password").toString())
            .setLocaleConfig(
                "locale-provider", "builtin") // sorts text the same way on every system
            .setLocaleConfig("builtin-locale", "C.UTF-8")
            .setLocaleConfig("locale", "C")
            .setConnectConfig("password", password)
            .setServerConfig("listen_addresses", "localhost")
            .setServerConfig("unix_socket_directories", "")
            // the library is for tests and turns these two off, but this data must be durable
            .setServerConfig("fsync", "on")
            .setServerConfig("synchronous_commit", "on")
            .setServerConfig("max_connections", "50")
            .setServerConfig("log_checkpoints", "off")
            .setOutputRedirector(Redirect.to(folder.resolve("server.log").toFile()))
            .setPGStartupWait(START_LIMIT)
            .start();
    LocalPostgres postgres = new LocalPostgres(folder, server, password);
    postgres.createDatabase();
    return postgres;
  }

  private static Path pidFile(ServerFolder folder) {
    return folder.resolve("data").resolve("postmaster.pid");
  }

  private void createDatabase() throws SQLException {
    try (Connection connection = server.getPostgresDatabase().getConnection();
        Statement statement = connection.createStatement()) {
      if (!exists(statement, "SELECT 1 FROM pg_roles WHERE rolname = '" + NAME + "'")) {
        // safe without escaping: the password has hex digits only
        statement.execute("CREATE ROLE %s LOGIN PASSWORD '%s'".formatted(NAME, password));
      }
      if (!exists(statement, "SELECT 1 FROM pg_database WHERE datname = '" + NAME + "'")) {
        statement.execute("CREATE DATABASE %s OWNER %s".formatted(NAME, NAME));
      }
    }
  }

  private static boolean exists(Statement statement, String query) throws SQLException {
    try (ResultSet rows = statement.executeQuery(query)) {
      return rows.next();
    }
  }

  /** The URL, with which the service connects as to any other server. */
  public PostgresUrl url() {
    return new PostgresUrl(
        "jdbc:postgresql://localhost:%d/%s".formatted(server.getPort(), NAME), NAME, password);
  }

  /** Stops the server, within seconds. */
  @Override
  public void close() throws IOException {
    server.close();
    // the library waits five seconds, in which the server may not have ended
    if (Files.exists(pidFile(folder))) {
      folder.stopOrphan(pidFile(folder));
    }
    folder.close();
  }
}
