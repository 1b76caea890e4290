package dev.jarvis.storage;

import dev.failsafe.Failsafe;
import dev.failsafe.FailsafeException;
import dev.failsafe.RetryPolicy;
import java.io.IOException;
import java.sql.SQLException;
import java.time.Duration;
import org.flywaydb.core.Flyway;
import org.jspecify.annotations.Nullable;
import org.postgresql.ds.PGSimpleDataSource;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Migrates the schema with the scripts of {@code db/migration}, before the pool is opened. */
public final class Schema {
  private static final Logger LOG = LoggerFactory.getLogger(Schema.class);
  private static final Duration LOGIN_LIMIT = Duration.ofSeconds(5);

  /** A migration may rewrite a large table, or wait while another replica does. */
  private static final Duration STATEMENT_LIMIT = Duration.ofMinutes(10);

  private Schema() {}

  /**
   * Brings the schema up to date, and retries while PostgreSQL does not answer.
   *
   * @throws IOException if it does not answer within the limit, or refuses the user or the database
   */
  public static void migrate(PostgresUrl url, Duration limit) throws IOException {
    Flyway flyway = Flyway.configure().dataSource(dataSource(url)).load();
    RetryPolicy<Object> whileAway =
        RetryPolicy.builder()
            .handleIf(error -> isAway(sqlError(error)))
            .withMaxAttempts(-1)
            .withMaxDuration(limit)
            .withBackoff(Duration.ofMillis(200), Duration.ofSeconds(2))
            .onRetry(
                it -> {
                  if (it.getAttemptCount() == 1) {
                    LOG.atWarn().addKeyValue("url", url.jdbc()).log("waiting for postgresql");
                  }
                })
            .build();
    try {
      Failsafe.with(whileAway).run(flyway::migrate);
    } catch (FailsafeException e) {
      throw new IOException("interrupted while waiting for PostgreSQL at " + url.jdbc(), e);
    } catch (RuntimeException e) {
      SQLException error = sqlError(e);
      if (isAway(error)) {
        throw new IOException(
            "PostgreSQL at %s did not answer within %d s".formatted(url.jdbc(), limit.toSeconds()),
            error);
      }
      if (error != null && isRefusal(error)) {
        throw new IOException(
            "PostgreSQL at %s refuses the connection: %s".formatted(url.jdbc(), error.getMessage()),
            error);
      }
      throw e;
    }
  }

  private static PGSimpleDataSource dataSource(PostgresUrl url) {
    PGSimpleDataSource source = new PGSimpleDataSource();
    source.setUrl(url.jdbc());
    source.setUser(url.username());
    source.setPassword(url.password());
    source.setApplicationName("jarvis");
    int loginSeconds = Math.toIntExact(LOGIN_LIMIT.toSeconds());
    source.setConnectTimeout(loginSeconds);
    source.setLoginTimeout(loginSeconds);
    source.setSocketTimeout(Math.toIntExact(STATEMENT_LIMIT.toSeconds()));
    return source;
  }

  private static @Nullable SQLException sqlError(Throwable error) {
    for (Throwable it = error; it != null; it = it.getCause()) {
      if (it instanceof SQLException sql) {
        return sql;
      }
    }
    return null;
  }

  /** Unreachable, disconnected, starting, stopping, or out of connections (SQLSTATE). */
  private static boolean isAway(@Nullable SQLException error) {
    String state = error == null ? null : error.getSQLState();
    return state != null
        && (state.startsWith("08") || state.startsWith("57P0") || state.equals("53300"));
  }

  private static boolean isRefusal(SQLException error) {
    String state = error.getSQLState();
    return state != null && (state.startsWith("28") || state.startsWith("3D"));
  }
}
