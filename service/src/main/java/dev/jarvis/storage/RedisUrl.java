package dev.jarvis.storage;

import dev.jarvis.config.Allowed;
import io.lettuce.core.RedisURI;

/** The URL of a Redis server, which may contain a password and is therefore never printed. */
@Allowed(value = "a redis:// or rediss:// URL", sensitive = true)
public record RedisUrl(String value) {
  /**
   * Reads a URL.
   *
   * @throws IllegalArgumentException if it is not valid; its message may repeat the URL
   */
  public static RedisUrl parse(String text) {
    if (!text.matches("rediss?://.+") || RedisURI.create(text).getHost() == null) {
      throw new IllegalArgumentException("not redis:// or rediss:// with a host");
    }
    return new RedisUrl(text);
  }

  @Override
  public String toString() {
    return "***";
  }
}
