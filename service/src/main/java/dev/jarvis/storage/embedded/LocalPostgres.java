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
 * A real PostgreSQL run by this process, its data kept between runs. It listens on the loopback
 * interface alone, on a free port; every role, the superuser too, needs the random password that
 * lies beside the data. The service itself uses a role without special rights.
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
   * Starts the server on the data in a folder, which is made if it is missing.
   *
   * @throws IOException if another JARVIS uses the folder or the server does not start
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
            .setRegisterShutdownHook(false) // its owner closes it, after all that need it
            // "locale" options are simply arguments of initdb, and these come after its "-A trust"
            .setLocaleConfig("auth", "scram-sha-256")
            .setLocaleConfig("pwfile", folder.resolve("password").toString())
            .setLocaleConfig("locale-provider", "builtin") // the same order of text everywhere
            .setLocaleConfig("builtin-locale", "C.UTF-8")
            .setLocaleConfig("locale", "C")
            .setConnectConfig("password", password)
            .setServerConfig("listen_addresses", "localhost")
            .setServerConfig("unix_socket_directories", "")
            // made for tests, the library sets these two off; this data shall last
            .setServerConfig("fsync", "on")
            .setServerConfig("synchronous_commit", "on")
            .setServerConfig("max_connections", "50")
            .setServerConfig("log_checkpoints", "off")
            .setOutputRedirector(Redirect.to(folder.resolve("server.log").toFile()))
            .setPGStartupWait(START_LIMIT)
            .start();
    LocalPostgres postgres = new LocalPostgres(folder, server, password);
    postgres.makeDatabase();
    return postgres;
  }

  private static Path pidFile(ServerFolder folder) {
    return folder.resolve("data").resolve("postmaster.pid");
  }

  private void makeDatabase() throws SQLException {
    try (Connection connection = server.getPostgresDatabase().getConnection();
        Statement statement = connection.createStatement()) {
      if (!exists(statement, "SELECT 1 FROM pg_roles WHERE rolname = '" + NAME + "'")) {
        // only hex digits are in the password
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

  /** How the service reaches the server, as if it were any other. */
  public PostgresUrl url() {
    return new PostgresUrl(
        "jdbc:postgresql://localhost:%d/%s".formatted(server.getPort(), NAME), NAME, password);
  }

  /** Stops the server, in seconds at most. */
  @Override
  public void close() throws IOException {
    server.close();
    // it may not have obeyed within the library's five seconds
    if (Files.exists(pidFile(folder))) {
      folder.stopOrphan(pidFile(folder));
    }
    folder.close();
  }
}
