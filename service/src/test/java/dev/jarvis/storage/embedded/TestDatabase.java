package dev.jarvis.storage.embedded;

import dev.jarvis.SharedUntilExit;
import dev.jarvis.TestFolders;
import dev.jarvis.config.Configs;
import dev.jarvis.storage.DatabaseConfig;
import dev.jarvis.storage.PostgresUrl;
import dev.jarvis.storage.Schema;
import java.io.IOException;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.flywaydb.core.Flyway;

/**
 * An empty database with the current schema, dropped when it is closed. All tests of this JVM share
 * its PostgreSQL, so a test that stops or stalls the server must start a separate one.
 */
public final class TestDatabase implements AutoCloseable {
  private static final AtomicInteger NUMBER = new AtomicInteger();

  private final Server server = Server.RUNNING;
  private final String name = "test_" + NUMBER.incrementAndGet();

  private TestDatabase() throws SQLException {
    server.execute("CREATE DATABASE %s OWNER jarvis TEMPLATE jarvis".formatted(name));
  }

  public static TestDatabase create() throws SQLException {
    return new TestDatabase();
  }

  public DatabaseConfig config(int poolSize, Duration queryTimeout) {
    PostgresUrl url = server.url(name);
    return Configs.of(
        DatabaseConfig.class,
        Map.of(
            "url", url.jdbc(),
            "username", String.valueOf(url.username()),
            "password", String.valueOf(url.password()),
            "pool-size", Integer.toString(poolSize),
            "query-timeout", queryTimeout.toString()));
  }

  /** The environment variables of a service that uses it. */
  public Map<String, String> environment() {
    PostgresUrl url = server.url(name);
    return Map.of(
        "JARVIS_DATABASE_URL", url.jdbc(),
        "JARVIS_DATABASE_USERNAME", String.valueOf(url.username()),
        "JARVIS_DATABASE_PASSWORD", String.valueOf(url.password()));
  }

  /** Empties the database, and migrates it to an older version of the schema. */
  public void recreate(String version) throws SQLException {
    execute("DROP SCHEMA public CASCADE");
    execute("CREATE SCHEMA public");
    migrate(version);
  }

  /**
   * Migrates the schema.
   *
   * @param version the last migration, or {@code latest}
   */
  public void migrate(String version) {
    PostgresUrl url = server.url(name);
    Flyway.configure()
        .dataSource(url.jdbc(), url.username(), url.password())
        .target(version)
        .load()
        .migrate();
  }

  /** Opens a connection outside the service's pool. */
  public Connection connect() throws SQLException {
    PostgresUrl url = server.url(name);
    return DriverManager.getConnection(url.jdbc(), url.username(), url.password());
  }

  /** Executes a statement. */
  public void execute(String sql) throws SQLException {
    try (Connection connection = connect();
        Statement statement = connection.createStatement()) {
      statement.execute(sql);
    }
  }

  /** Returns the rows of a query, each by column without nulls. */
  public List<Map<String, String>> rows(String sql) throws SQLException {
    List<Map<String, String>> rows = new ArrayList<>();
    try (Connection connection = connect();
        Statement statement = connection.createStatement();
        ResultSet result = statement.executeQuery(sql)) {
      while (result.next()) {
        Map<String, String> row = new HashMap<>();
        for (int i = 1; i <= result.getMetaData().getColumnCount(); i++) {
          String value = result.getString(i);
          if (value != null) {
            row.put(result.getMetaData().getColumnLabel(i), value);
          }
        }
        rows.add(row);
      }
    }
    return rows;
  }

  @Override
  public void close() throws SQLException {
    server.execute("DROP DATABASE %s WITH (FORCE)".formatted(name));
  }

  private record Server(Path folder, LocalPostgres postgres) implements AutoCloseable {
    private static final Server RUNNING = start();

    private static Server start() {
      try {
        Path folder = TestFolders.create();
        Server server = new Server(folder, LocalPostgres.start(folder));
        SharedUntilExit.add(server);
        for (String setting :
            List.of("fsync", "full_page_writes")) { // the data need not be durable
          server.execute("ALTER SYSTEM SET %s = off".formatted(setting));
        }
        server.execute("SELECT pg_reload_conf()");
        Schema.migrate(
            server.postgres.url(), Duration.ofSeconds(20)); // the template of all databases
        return server;
      } catch (IOException | SQLException e) {
        throw new AssertionError("the tests' PostgreSQL did not start", e);
      }
    }

    private PostgresUrl url(String database) {
      PostgresUrl template = postgres.url();
      return new PostgresUrl(
          template.jdbc().replaceFirst("/[^/]+$", "/" + database),
          template.username(),
          template.password());
    }

    private void execute(String sql) throws SQLException {
      PostgresUrl url = url("postgres");
      try (Connection connection =
              DriverManager.getConnection(url.jdbc(), "postgres", url.password());
          Statement statement = connection.createStatement()) {
        statement.execute(sql);
      }
    }

    @Override
    public void close() throws IOException {
      postgres.close();
      TestFolders.delete(folder);
    }
  }
}
