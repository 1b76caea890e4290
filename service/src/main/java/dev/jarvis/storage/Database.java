package dev.jarvis.storage;

import dev.jarvis.concurrent.Cancellation;
import dev.jarvis.telemetry.Telemetry;
import io.helidon.dbclient.DbClient;
import io.helidon.dbclient.DbClientException;
import io.helidon.dbclient.DbExecute;
import io.helidon.dbclient.DbTransaction;
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

/** The client of PostgreSQL, with a pool of connections. */
public final class Database implements AutoCloseable {
  /**
   * SQLSTATEs of connections, resources, shutdowns and timeouts; of a server that is read-only, as
   * a former primary; of transactions that idled; of deadlocks, conflicts and locks.
   */
  private static final Pattern AWAY =
      Pattern.compile("08...|53...|57P..|57014|25006|25P03|40...|55P03");

  /** SQLSTATEs of invalid data, violated constraints and invalid statements. */
  private static final Pattern PERMANENT = Pattern.compile("(22|23|42)...");

  /** SQLSTATEs of missing rights, tables and functions, and of invalid statements. */
  private static final Pattern DENIED = Pattern.compile("42...");

  /** SQLSTATEs of invalid data and violated constraints. */
  private static final Pattern REJECTED = Pattern.compile("(22|23)...");

  private static final Pattern DUPLICATE = Pattern.compile("23505");

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
   * @param server an embedded server, which is closed after the pool
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
   * Runs statements on this thread, each with a span under the current one; {@link Sql} creates
   * most of them. A stream of rows must be read inside the work. The waits for a connection and for
   * each statement are limited. Cancelling {@link Cancellation#current} ends a statement, and no
   * further one starts.
   *
   * @param work must give its statements names, which become a metric's label
   * @throws io.helidon.dbclient.DbClientException if a statement fails
   */
  public <T> T execute(Function<DbExecute, T> work) {
    return telemetry.observe(() -> work.apply(client.execute()));
  }

  /**
   * Like {@link #execute}, but without spans and metrics, for periodic queries: each would be a
   * separate trace, and most find nothing.
   */
  public <T> T poll(Function<DbExecute, T> work) {
    return work.apply(client.execute());
  }

  /**
   * Runs statements like {@link #execute}, in one transaction: an exception rolls them back.
   *
   * @param work must execute at least one statement
   */
  public <T> T transaction(Function<DbExecute, T> work) {
    return telemetry.observe(
        () -> {
          DbTransaction transaction = client.transaction();
          T result;
          try {
            result = work.apply(transaction);
          } catch (RuntimeException | Error e) {
            rollBack(transaction, e);
            throw e;
          }
          transaction.commit();
          return result;
        });
  }

  /**
   * Runs queries like {@link #poll}, all of them on the same state of the database.
   *
   * @param work must execute at least one statement
   */
  public <T> T snapshot(Function<DbExecute, T> work) {
    DbTransaction transaction = client.transaction();
    try {
      long _ =
          Sql.update("begin_snapshot", "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
              .apply(transaction);
      T result = work.apply(transaction);
      transaction.commit();
      return result;
    } catch (RuntimeException | Error e) {
      rollBack(transaction, e);
      throw e;
    }
  }

  private static void rollBack(DbTransaction transaction, Throwable cause) {
    try {
      transaction.rollback();
    } catch (DbClientException e) { // the connection is gone, and the transaction with it
      cause.addSuppressed(e);
    }
  }

  /**
   * Returns whether an error means that PostgreSQL is unavailable: it cannot be reached, starts or
   * stops, accepts no writes or connections, or does not answer in time. The same statement may
   * succeed later. Decided by SQLSTATE, see <a
   * href="https://www.postgresql.org/docs/current/errcodes-appendix.html">PostgreSQL's list</a>.
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
   * Returns whether a statement may succeed when it is executed again: after every error of
   * PostgreSQL or of the connection, unless the data, the statement or a constraint is at fault.
   * Other errors are bugs, which do not go away.
   */
  public static boolean mayRetry(Throwable error) {
    boolean databaseError = false;
    for (Throwable e = error; e != null; e = e.getCause()) {
      if (e instanceof SQLException sql) {
        if (hasState(sql, PERMANENT)) {
          return false;
        }
        databaseError = true;
      }
    }
    return databaseError;
  }

  /** Returns whether a statement violated a unique constraint. */
  public static boolean isDuplicate(Throwable error) {
    return anyHasState(error, DUPLICATE);
  }

  /** Returns whether a statement failed because of its data. */
  public static boolean isRejected(Throwable error) {
    return anyHasState(error, REJECTED);
  }

  /**
   * Returns whether a statement failed because of what an administrator has done to the schema or
   * the rights.
   */
  public static boolean isDenied(Throwable error) {
    return anyHasState(error, DENIED);
  }

  private static boolean anyHasState(Throwable error, Pattern states) {
    for (Throwable e = error; e != null; e = e.getCause()) {
      if (e instanceof SQLException sql && hasState(sql, states)) {
        return true;
      }
    }
    return false;
  }

  /** Returns whether a statement failed because the current scope was cancelled. */
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
   * Checks that PostgreSQL answers and accepts writes, without a span.
   *
   * @throws SQLException if it does not
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
