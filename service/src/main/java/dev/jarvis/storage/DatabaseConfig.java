package dev.jarvis.storage;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * Where PostgreSQL is and how long to wait for it.
 *
 * @param url {@code jdbc:postgresql://host:port/database}, or the {@code postgresql://} and {@code
 *     postgres://} forms; null for the embedded server
 * @param username wins over a user in the URL
 * @param password wins over a password in the URL
 * @param poolSize connections at most
 * @param connectTimeout how long a start waits for PostgreSQL to answer
 * @param queryTimeout how long a statement may take, and how long to wait for a free connection
 */
public record DatabaseConfig(
    @Nullable String url,
    @Nullable String username,
    @Nullable String password,
    int poolSize,
    Duration connectTimeout,
    Duration queryTimeout) {

  /** Without the password and the URL, which may hold one. */
  @Override
  public String toString() {
    return "DatabaseConfig[url=%s, username=%s, poolSize=%d]"
        .formatted(url == null ? "embedded" : "given", username, poolSize);
  }

  /** What is wrong with a URL, for people; null if nothing is. */
  public static @Nullable String problem(String url) {
    try {
      PostgresUrl.parse(url);
      return null;
    } catch (IllegalArgumentException e) {
      return e.getMessage();
    }
  }
}
