package dev.jarvis.storage;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.jarvis.concurrent.Cancellation;
import io.helidon.dbclient.DbClientException;
import io.helidon.dbclient.jdbc.CloseableJdbcConnectionPool;
import io.micrometer.core.instrument.Metrics;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;

/**
 * The pool of connections to PostgreSQL, by HikariCP, with its timeouts. Its meters ({@code
 * hikaricp.connections.*}) go to Micrometer's global registry, which telemetry reads.
 */
record ConnectionPool(HikariDataSource source) implements CloseableJdbcConnectionPool {
  /** HikariCP refuses shorter timeouts. */
  private static final Duration MIN_TIMEOUT = Duration.ofMillis(250);

  /** No transaction does anything but statements, and short work between them. */
  private static final Duration IDLE_IN_TRANSACTION = Duration.ofSeconds(10);

  static ConnectionPool open(PostgresUrl url, DatabaseConfig config) {
    long queryMillis = config.queryTimeout().toMillis();
    long waitMillis = Math.max(queryMillis, MIN_TIMEOUT.toMillis());
    long seconds = Math.max(1, config.queryTimeout().plusMillis(999).toSeconds());
    HikariConfig pool = new HikariConfig();
    pool.setJdbcUrl(url.jdbc());
    pool.setUsername(url.username());
    pool.setPassword(url.password());
    pool.setPoolName("jarvis");
    pool.setMetricRegistry(Metrics.globalRegistry);
    pool.setMaximumPoolSize(config.poolSize());
    pool.setMinimumIdle(Math.min(2, config.poolSize()));
    pool.setInitializationFailTimeout(
        -1); // the migrations succeeded just now, and the pool reconnects
    pool.setConnectionTimeout(waitMillis);
    pool.setValidationTimeout(Math.min(1_000, waitMillis));
    // first the server ends the statement with an error; the socket's timeout is for a server that
    // hangs
    // and it ends the transaction, with its locks, of a replica that has stopped midway
    pool.setConnectionInitSql(
        "SET statement_timeout = %d; SET idle_in_transaction_session_timeout = %d"
            .formatted(queryMillis, IDLE_IN_TRANSACTION.toMillis()));
    pool.addDataSourceProperty("socketTimeout", Long.toString(seconds + 1));
    pool.addDataSourceProperty("connectTimeout", Long.toString(seconds));
    pool.addDataSourceProperty("loginTimeout", Long.toString(seconds));
    pool.addDataSourceProperty("cancelSignalTimeout", "1");
    pool.addDataSourceProperty("tcpKeepAlive", "true");
    // errors are logged, and their detail may repeat the row
    pool.addDataSourceProperty("logServerErrorDetail", "false");
    pool.addDataSourceProperty("ApplicationName", "jarvis");
    return new ConnectionPool(new HikariDataSource(pool));
  }

  /** Borrows a connection whose statements end when the current scope is cancelled. */
  @Override
  public Connection connection() {
    Cancellation scope = Cancellation.current();
    if (scope.cancelled()) {
      throw new DbClientException(
          "The request was cancelled",
          new SQLException("not executed", CancellableConnection.QUERY_CANCELED));
    }
    try {
      return CancellableConnection.of(source.getConnection(), scope, source::evictConnection);
    } catch (SQLException e) {
      throw new DbClientException("No connection to PostgreSQL", e);
    }
  }

  @Override
  public void close() {
    source.close();
  }
}
