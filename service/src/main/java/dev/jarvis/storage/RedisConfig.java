package dev.jarvis.storage;

import dev.jarvis.config.Default;
import dev.jarvis.config.Doc;
import dev.jarvis.config.Secret;
import io.lettuce.core.RedisURI;
import java.net.URI;
import java.time.Duration;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Where Redis is and how long to wait for it. */
public record RedisConfig(
    @Doc("redis://host:port or rediss://host:port. Empty: the embedded server.")
        @Nullable RedisUrl url,
    @Doc("Takes precedence over a password in the URL.") @Nullable Secret password,
    @Doc("How long a command, or connecting, may take.") @Default("1s") Duration commandTimeout) {

  /**
   * The configured URL with the configured password.
   *
   * @throws NullPointerException if there is no URL
   */
  public RedisURI uri() {
    String text = Objects.requireNonNull(url).value();
    RedisURI uri = RedisURI.create(text);
    if (password == null) {
      return uri;
    }
    char[] secret = password.value().toCharArray();
    String user = URI.create(text).getUserInfo();
    String name = user == null ? "" : user.split(":", 2)[0];
    return name.isEmpty()
        ? RedisURI.builder(uri).withPassword(secret).build()
        : RedisURI.builder(uri).withAuthentication(name, secret).build();
  }
}
