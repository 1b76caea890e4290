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
 * A PostgreSQL URL in the form that JDBC takes, with user and password apart: the driver refuses
 * them before an {@code @}, and a URL ends up in messages.
 */
@Allowed(value = PostgresUrl.FORM_TEXT, sensitive = true)
public record PostgresUrl(String jdbc, @Nullable String username, @Nullable String password) {
  static final String FORM_TEXT =
      "of the form jdbc:postgresql://host:port/database or postgresql://user:password@host:port/database";

  private static final Pattern FORM =
      Pattern.compile(
          "(?:jdbc:)?postgres(?:ql)?://(?:(?<user>[^@]*)@)?(?<hosts>[^/?@]+)/(?<database>[^/?]+)(?:\\?(?<query>.*))?");

  /** Without the password, and without parameters: any of them may be one. */
  @Override
  public String toString() {
    return jdbc.replaceFirst("\\?.*", "");
  }

  /**
   * The configured URL with the configured user and password, which win over those in the URL.
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
   * @throws IllegalArgumentException saying what is wrong; never repeating the URL, for it may hold
   *     a password
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
    return URLDecoder.decode(text.replace("+", "%2B"), UTF_8); // "+" is no space before the query
  }
}
