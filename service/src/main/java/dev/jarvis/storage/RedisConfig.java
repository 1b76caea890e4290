package dev.jarvis.storage;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * Where Redis is and how long to wait for it.
 *
 * @param url {@code redis://host:port} or {@code rediss://host:port}; null for the embedded server
 * @param password wins over a password in the URL
 * @param commandTimeout how long a command, or connecting, may take
 */
public record RedisConfig(
    @Nullable String url, @Nullable String password, Duration commandTimeout) {

  /** Without the password and the URL, which may hold one. */
  @Override
  public String toString() {
    return "RedisConfig[url=%s, commandTimeout=%s]"
        .formatted(url == null ? "embedded" : "given", commandTimeout);
  }
}
