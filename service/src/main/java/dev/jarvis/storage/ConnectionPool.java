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
 * HikariCP's pool of connections to PostgreSQL. Its meters ({@code hikaricp.connections.*}) go to
 * Micrometer's global registry, which telemetry reads.
 */
record ConnectionPool(HikariDataSource source) implements CloseableJdbcConnectionPool {
  /** The least that HikariCP takes as a time limit. */
  private static final Duration LEAST = Duration.ofMillis(250);

  static ConnectionPool open(PostgresUrl url, DatabaseConfig config) {
    long queryMillis = config.queryTimeout().toMillis();
    long waitMillis = Math.max(queryMillis, LEAST.toMillis());
    long seconds = Math.max(1, config.queryTimeout().plusMillis(999).toSeconds());
    HikariConfig pool = new HikariConfig();
    pool.setJdbcUrl(url.jdbc());
    pool.setUsername(url.username());
    pool.setPassword(url.password());
    pool.setPoolName("jarvis");
    pool.setMetricRegistry(Metrics.globalRegistry);
    pool.setMaximumPoolSize(config.poolSize());
    pool.setMinimumIdle(Math.min(2, config.poolSize()));
    pool.setInitializationFailTimeout(-1); // it was there a moment ago; if not, it comes back
    pool.setConnectionTimeout(waitMillis);
    pool.setValidationTimeout(Math.min(1_000, waitMillis));
    // the server gives up first, and says so; the socket's limit is for one that says nothing
    pool.setConnectionInitSql("SET statement_timeout = " + queryMillis);
    pool.addDataSourceProperty("socketTimeout", Long.toString(seconds + 1));
    pool.addDataSourceProperty("connectTimeout", Long.toString(seconds));
    pool.addDataSourceProperty("loginTimeout", Long.toString(seconds));
    pool.addDataSourceProperty("cancelSignalTimeout", "1");
    pool.addDataSourceProperty("tcpKeepAlive", "true");
    // the detail repeats the row, and errors are logged
    pool.addDataSourceProperty("logServerErrorDetail", "false");
    pool.addDataSourceProperty("ApplicationName", "jarvis");
    return new ConnectionPool(new HikariDataSource(pool));
  }

  /** A connection whose statements end when the current scope is cancelled. */
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
