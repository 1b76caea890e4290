package dev.jarvis.storage;

import dev.jarvis.concurrent.Cancellation;
import dev.jarvis.telemetry.Telemetry;
import io.helidon.dbclient.DbClient;
import io.helidon.dbclient.DbExecute;
import io.helidon.dbclient.jdbc.JdbcClientBuilder;
import java.io.Closeable;
import java.io.IOException;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.SQLTransientConnectionException;
import java.sql.Statement;
import java.util.function.Function;
import java.util.regex.Pattern;

/** PostgreSQL: the configured one, or one that this process runs. */
public final class Database implements AutoCloseable {
  /**
   * Connections, resources, shut-downs, time-outs; a server that has become read-only, as a primary
   * that lost its place; deadlocks, conflicts and locks.
   */
  private static final Pattern AWAY = Pattern.compile("08...|53...|57P..|57014|25006|40...|55P03");

  /** Wrong data, a violated constraint, a wrong statement: the same again fails the same way. */
  private static final Pattern PERMANENT = Pattern.compile("(22|23|42)...");

  private final Closeable server;
  private final StatementTelemetry telemetry;
  private final DbClient client;

  private Database(Closeable server, StatementTelemetry telemetry, ConnectionPool pool) {
    this.server = server;
    this.telemetry = telemetry;
    this.client = JdbcClientBuilder.create().connectionPool(pool).addService(telemetry).build();
  }

  /**
   * Waits for PostgreSQL, brings the schema up to date and opens the pool.
   *
   * @param server closed after the pool: an embedded server
   * @throws IOException if PostgreSQL does not answer within the configured time, or refuses the
   *     user or the database
   * @throws org.flywaydb.core.api.FlywayException if a migration fails
   */
  public static Database open(
      PostgresUrl url, DatabaseConfig config, Telemetry telemetry, Closeable server)
      throws IOException {
    Schema.migrate(url, config.connectTimeout());
    return new Database(
        server, new StatementTelemetry(telemetry), ConnectionPool.open(url, config));
  }

  /**
   * Does work with the database on this thread, each statement with a span under the current one. A
   * stream of rows must be read inside the work. Waits are limited: for a connection, and for each
   * statement; cancelling {@link Cancellation#current} ends a statement, and none begins after it.
   *
   * @param work must create its statements with a name, which becomes a metric's label
   * @throws io.helidon.dbclient.DbClientException if a statement fails
   */
  public <T> T execute(Function<DbExecute, T> work) {
    return telemetry.observe(() -> work.apply(client.execute()));
  }

  /**
   * The same for what the service asks again and again by itself, without spans and metrics: each
   * would be a trace of its own, and most find nothing.
   */
  public <T> T poll(Function<DbExecute, T> work) {
    return work.apply(client.execute());
  }

  /**
   * Whether an error says that PostgreSQL cannot be reached, starts or stops, takes no writes, has
   * no room for us or does not answer in time: the same statement may succeed later. By SQLSTATE:
   * <a href="https://www.postgresql.org/docs/current/errcodes-appendix.html">PostgreSQL's list</a>.
   */
  public static boolean isAway(Throwable error) {
    for (Throwable e = error; e != null; e = e.getCause()) {
      if (e instanceof SQLTransientConnectionException
          || (e instanceof SQLException sql && hasState(sql, AWAY))) {
        return true;
      }
    }
    return false;
  }

  /**
   * Whether a statement may succeed when it is executed again: every error of PostgreSQL or of the
   * way to it, unless the data, the statement or a constraint is at fault. An error of another kind
   * is a fault of the code, which does not go away.
   */
  public static boolean mayRetry(Throwable error) {
    boolean ofDatabase = false;
    for (Throwable e = error; e != null; e = e.getCause()) {
      if (e instanceof SQLException sql) {
        if (hasState(sql, PERMANENT)) {
          return false;
        }
        ofDatabase = true;
      }
    }
    return ofDatabase;
  }

  /** Whether a statement did not end because the current scope was cancelled. */
  public static boolean isCancelled(Throwable error) {
    if (Cancellation.current().cancelled()) {
      for (Throwable e = error; e != null; e = e.getCause()) {
        if (e instanceof SQLException sql
            && CancellableConnection.QUERY_CANCELED.equals(sql.getSQLState())) {
          return true;
        }
      }
    }
    return false;
  }

  private static boolean hasState(SQLException e, Pattern states) {
    return e.getSQLState() != null && states.matcher(e.getSQLState()).matches();
  }

  /**
   * Asks PostgreSQL for a sign of life, without a span.
   *
   * @throws SQLException if there is none, or if it takes no writes
   */
  public void check() throws SQLException {
    try (Connection connection = client.unwrap(Connection.class);
        Statement statement = connection.createStatement();
        ResultSet readOnly = statement.executeQuery("SHOW transaction_read_only")) {
      if (readOnly.next() && readOnly.getString(1).equals("on")) {
        throw new SQLException("PostgreSQL is read-only", "25006");
      }
    }
  }

  @Override
  public void close() throws IOException {
    client.close();
    server.close();
  }
}
