package dev.jarvis.http;

import dev.jarvis.config.Secret;
import dev.jarvis.error.ApiException;
import io.helidon.http.HeaderNames;
import io.helidon.webserver.http.ServerRequest;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.Locale;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Authenticates requests by {@code Authorization: Bearer …} and checks the access to endpoints. */
public final class BearerTokens {
  /** The user of {@code api-key}: the only administrator until there are roles. */
  private static final String ADMIN = "admin";

  private static final String SCHEME = "bearer ";

  private final Function<String, @Nullable String> userOfKey;
  private final byte @Nullable [] metricsToken;

  /**
   * Tokens from the configuration.
   *
   * @param userOfKey returns the user of an API key, null for an unknown key
   * @param metricsToken what {@code /metrics} and {@code /health*} require, null for nothing
   */
  public BearerTokens(Function<String, @Nullable String> userOfKey, @Nullable Secret metricsToken) {
    this.userOfKey = userOfKey;
    this.metricsToken =
        metricsToken == null ? null : metricsToken.value().getBytes(StandardCharsets.UTF_8);
  }

  /** The user of the request's API key, null if it has no known one. */
  public @Nullable String user(ServerRequest request) {
    String token = token(request);
    return token == null ? null : userOfKey.apply(token);
  }

  void require(Access access, ServerRequest request) {
    switch (access) {
      case ANYBODY -> {}
      case KEY -> requireUser(request);
      case ADMIN -> {
        if (!requireUser(request).equals(ADMIN)) {
          throw new ApiException.Forbidden(
              "Only the user '%s' may use this path.".formatted(ADMIN));
        }
      }
      case METRICS_TOKEN -> {
        String token = token(request);
        if (metricsToken != null
            && (token == null
                || !MessageDigest.isEqual(metricsToken, token.getBytes(StandardCharsets.UTF_8)))) {
          throw new ApiException.Unauthenticated(
              "The metrics token is missing or wrong; send it as \"Authorization: Bearer TOKEN\".");
        }
      }
    }
  }

  private static String requireUser(ServerRequest request) {
    String user = Exchange.of(request).userId();
    if (user == null) {
      throw new ApiException.Unauthenticated(
          token(request) == null
              ? "The API key is missing; send it as \"Authorization: Bearer KEY\"."
              : "The API key is unknown.");
    }
    return user;
  }

  private static @Nullable String token(ServerRequest request) {
    String value = request.headers().first(HeaderNames.AUTHORIZATION).orElse("");
    return value.toLowerCase(Locale.ROOT).startsWith(SCHEME)
        ? value.substring(SCHEME.length()).strip()
        : null;
  }
}
