package dev.jarvis.http;

import dev.jarvis.config.Allowed;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Where web pages come from, as browsers write it in the header {@code Origin} (RFC 6454).
 *
 * @param text the serialized origin, or {@code *} for any
 */
@Allowed(
    "an origin without a path, such as https://app.example or http://localhost:3000, or * for any")
public record Origin(String text) {
  private static final String ANY = "*";

  private static final Pattern ORIGIN =
      Pattern.compile("([a-z][a-z0-9+.-]*)://([a-z0-9._-]+|\\[[0-9a-f:.]+])(?::(\\d{1,5}))?");

  /**
   * Reads an origin; the default port of its scheme is left out, as browsers do.
   *
   * @throws IllegalArgumentException if it is none, with what is wrong in its message
   */
  public static Origin parse(String text) {
    String origin = text.toLowerCase(Locale.ROOT);
    if (origin.equals(ANY)) {
      return new Origin(ANY);
    }
    if (origin.equals("null")) {
      throw new IllegalArgumentException(
          "'null' is the origin of local files and of any sandboxed page");
    }
    if (origin.contains(ANY)) {
      throw new IllegalArgumentException("'" + text + "' has a wildcard within an origin");
    }
    Matcher matcher = ORIGIN.matcher(origin);
    if (!matcher.matches()) {
      int path = origin.indexOf('/', Math.max(0, origin.indexOf("://") + 3));
      throw new IllegalArgumentException(
          origin.contains("://") && path > 0
              ? "'%s' has a path; leave out all from '%s' on".formatted(text, text.substring(path))
              : "'%s' is not a scheme, '://', and a host with or without a port".formatted(text));
    }
    String port = matcher.group(3);
    if (port != null && Integer.parseInt(port) > 65_535) {
      throw new IllegalArgumentException("'" + port + "' is not a port from 0 to 65535");
    }
    String scheme = matcher.group(1);
    boolean isDefault = port == null || Integer.parseInt(port) == defaultPort(scheme);
    return new Origin(
        scheme + "://" + matcher.group(2) + (isDefault ? "" : ":" + Integer.parseInt(port)));
  }

  private static int defaultPort(String scheme) {
    return switch (scheme) {
      case "http" -> 80;
      case "https" -> 443;
      default -> -1;
    };
  }

  boolean isAny() {
    return text.equals(ANY);
  }
}
