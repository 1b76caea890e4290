package dev.jarvis.storage;

import dev.failsafe.Failsafe;
import dev.failsafe.FailsafeException;
import dev.failsafe.RetryPolicy;
import java.io.IOException;
import java.sql.SQLException;
import java.time.Duration;
import javax.sql.DataSource;
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

  /**
   * How long a migration waits for a lock. All queries of the table wait behind it, so it is less
   * than {@code database.query-timeout}; it is more than PostgreSQL's {@code deadlock_timeout},
   * after which an autovacuum makes way.
   */
  private static final Duration LOCK_LIMIT = Duration.ofSeconds(2);

  /** With the pauses between them about five minutes. */
  private static final int LOCK_TRIES = 30;

  private static final String LOCK_NOT_AVAILABLE = "55P03";

  private Schema() {}

  /**
   * Brings the schema up to date, and retries while PostgreSQL does not answer, or while other
   * sessions lock what a migration changes.
   *
   * @throws IOException if it does not answer within the limit, refuses the user or the database,
   *     or the locks last
   */
  public static void migrate(PostgresUrl url, Duration limit) throws IOException {
    migrate(url, limit, LOCK_TRIES);
  }

  static void migrate(PostgresUrl url, Duration limit, int lockTries) throws IOException {
    DataSource source = dataSource(url);
    Flyway flyway =
        Flyway.configure().dataSource(source).callbacks(new LockTimeout(LOCK_LIMIT)).load();
    RetryPolicy<Object> whileLocked =
        RetryPolicy.builder()
            .handleIf(error -> isLocked(sqlError(error)))
            .withMaxAttempts(lockTries)
            .withBackoff(Duration.ofSeconds(1), Duration.ofSeconds(10))
            .onRetryScheduled(
                it ->
                    LOG.atWarn()
                        .addKeyValue("url", url.toString())
                        .addKeyValue("try", it.getAttemptCount())
                        .addKeyValue("max_tries", lockTries)
                        .addKeyValue("locked", LockHolders.describe(source, LOCK_LIMIT))
                        .log("a migration waits for other sessions to release their locks"))
            .build();
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
      Failsafe.with(whileLocked, whileAway).run(flyway::migrate);
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
      if (isLocked(error)) {
        throw new IOException(
            "The schema of PostgreSQL at %s cannot be changed, because other sessions held locks for more than %d s at each of %d tries. Locked: %s. End these sessions, and start JARVIS again."
                .formatted(
                    url,
                    LOCK_LIMIT.toSeconds(),
                    lockTries,
                    LockHolders.describe(source, LOCK_LIMIT)),
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

  private static boolean isLocked(@Nullable SQLException error) {
    return error != null && LOCK_NOT_AVAILABLE.equals(error.getSQLState());
  }

  private static boolean isRefusal(SQLException error) {
    String state = error.getSQLState();
    return state != null && (state.startsWith("28") || state.startsWith("3D"));
  }
}
