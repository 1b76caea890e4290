package dev.jarvis.storage;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.jarvis.config.Allowed;
import java.net.URLDecoder;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A PostgreSQL URL in JDBC's form, without user and password: the driver does not accept them
 * before an {@code @}, and the URL is logged.
 */
@Allowed(value = PostgresUrl.FORM_TEXT, sensitive = true)
public record PostgresUrl(String jdbc, @Nullable String username, @Nullable String password) {
  static final String FORM_TEXT =
      "of the form jdbc:postgresql://host:port/database or postgresql://user:password@host:port/database";

  private static final Pattern FORM =
      Pattern.compile(
          "(?:jdbc:)?postgres(?:ql)?://(?:(?<user>[^@]*)@)?(?<hosts>[^/?@]+)/(?<database>[^/?]+)(?:\\?(?<query>.*))?");

  /** Without the password, and without the parameters, which may hold secrets. */
  @Override
  public String toString() {
    return jdbc.replaceFirst("\\?.*", "");
  }

  /**
   * Returns the configured URL; the configured user and password take precedence over its own.
   *
   * @throws NullPointerException if there is no URL
   */
  public static PostgresUrl of(DatabaseConfig config) {
    PostgresUrl url = Objects.requireNonNull(config.url());
    return new PostgresUrl(
        url.jdbc(),
        config.username() == null ? url.username() : config.username(),
        config.password() == null ? url.password() : config.password().value());
  }

  /**
   * Reads {@code jdbc:postgresql://host:port/db} and libpq's {@code
   * postgresql://user:password@host/db}.
   *
   * @throws IllegalArgumentException with a message that does not repeat the URL, which may hold a
   *     password
   */
  static PostgresUrl parse(String url) {
    Matcher matcher = FORM.matcher(url.strip());
    if (!matcher.matches()) {
      throw new IllegalArgumentException("not " + FORM_TEXT);
    }
    String username = null;
    String password = null;
    if (matcher.group("user") != null) {
      String[] parts = matcher.group("user").split(":", 2);
      username = parts[0].isEmpty() ? null : decoded(parts[0]);
      password = parts.length < 2 ? null : decoded(parts[1]);
    }
    List<String> rest = new ArrayList<>();
    String query = matcher.group("query") == null ? "" : matcher.group("query");
    for (String parameter : query.split("&", -1)) {
      if (parameter.startsWith("user=")) {
        username = decoded(parameter.substring("user=".length()));
      } else if (parameter.startsWith("password=")) {
        password = decoded(parameter.substring("password=".length()));
      } else if (!parameter.isEmpty()) {
        rest.add(parameter);
      }
    }
    String jdbc =
        "jdbc:postgresql://%s/%s".formatted(matcher.group("hosts"), matcher.group("database"));
    return new PostgresUrl(
        rest.isEmpty() ? jdbc : jdbc + "?" + String.join("&", rest), username, password);
  }

  private static String decoded(String text) {
    return URLDecoder.decode(text.replace("+", "%2B"), UTF_8); // "+" means a space only in a query
  }
}
