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

/** Reads {@code Authorization: Bearer …} and holds requests to what their route asks for. */
public final class BearerTokens {
  /** The user of {@code api-key}, the only one who is more than a user until there are roles. */
  private static final String ADMIN = "admin";

  private static final String SCHEME = "bearer ";

  private final Function<String, @Nullable String> userOfKey;
  private final byte @Nullable [] metricsToken;

  /**
   * Tokens as the configuration knows them.
   *
   * @param userOfKey the user whom an API key names, null for an unknown key
   * @param metricsToken what {@code /metrics} and {@code /health*} ask for, null for nothing
   */
  public BearerTokens(Function<String, @Nullable String> userOfKey, @Nullable Secret metricsToken) {
    this.userOfKey = userOfKey;
    this.metricsToken =
        metricsToken == null ? null : metricsToken.value().getBytes(StandardCharsets.UTF_8);
  }

  /** The user of the request's API key, null without a known one. */
  public @Nullable String user(ServerRequest request) {
    String token = token(request);
    return token == null ? null : userOfKey.apply(token);
  }

  void require(Routes.Access access, ServerRequest request) {
    switch (access) {
      case ANYBODY -> {}
      case KEY -> requireUser(request);
      case ADMIN -> {
        if (!requireUser(request).equals(ADMIN)) {
          throw new ApiException.Forbidden("This path is for the user '%s'.".formatted(ADMIN));
        }
      }
      case METRICS_TOKEN -> {
        String token = token(request);
        if (metricsToken != null
            && (token == null
                || !MessageDigest.isEqual(metricsToken, token.getBytes(StandardCharsets.UTF_8)))) {
          throw new ApiException.Unauthenticated(
              "This path asks for the metrics token: \"Authorization: Bearer TOKEN\".");
        }
      }
    }
  }

  private static String requireUser(ServerRequest request) {
    String user = Exchange.of(request).userId();
    if (user == null) {
      throw new ApiException.Unauthenticated(
          token(request) == null
              ? "No API key: send it as \"Authorization: Bearer KEY\"."
              : "Incorrect API key.");
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
