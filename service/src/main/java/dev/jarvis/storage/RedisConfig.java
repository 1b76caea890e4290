package dev.jarvis.storage;

import io.lettuce.core.RedisURI;
import java.net.URI;
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

  /**
   * The configured URL with the configured password.
   *
   * @throws IllegalArgumentException if there is no URL or it is not valid
   */
  public RedisURI uri() {
    RedisURI uri = RedisURI.create(String.valueOf(url));
    if (password == null) {
      return uri;
    }
    String user = URI.create(String.valueOf(url)).getUserInfo();
    String name = user == null ? "" : user.split(":", 2)[0];
    return name.isEmpty()
        ? RedisURI.builder(uri).withPassword(password.toCharArray()).build()
        : RedisURI.builder(uri).withAuthentication(name, password.toCharArray()).build();
  }

  /** Without the password and the URL, which may hold one. */
  @Override
  public String toString() {
    return "RedisConfig[url=%s, commandTimeout=%s]"
        .formatted(url == null ? "embedded" : "given", commandTimeout);
  }
}
