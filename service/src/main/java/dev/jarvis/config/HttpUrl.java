package dev.jarvis.config;

import java.net.URI;

/** A URL of a server; printed without what it may contain of credentials. */
@Allowed(value = "an http:// or https:// URL", sensitive = true)
public record HttpUrl(URI uri) {
  /**
   * Reads a URL.
   *
   * @throws IllegalArgumentException if it is not http or https, or has no host
   */
  public static HttpUrl parse(String text) {
    URI uri = URI.create(text);
    if (!("http".equals(uri.getScheme()) || "https".equals(uri.getScheme()))
        || uri.getHost() == null) {
      throw new IllegalArgumentException("not http(s) with a host");
    }
    return new HttpUrl(uri);
  }

  /** Scheme and host alone. */
  @Override
  public String toString() {
    return uri.getScheme() + "://" + uri.getHost();
  }
}
