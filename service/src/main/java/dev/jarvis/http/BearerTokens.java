package dev.jarvis.http;

import dev.jarvis.config.Secret;
import dev.jarvis.error.ApiException;
import dev.jarvis.gateway.Permission;
import dev.jarvis.identity.AuthenticationFailure;
import dev.jarvis.identity.Principal;
import dev.jarvis.identity.Role;
import io.helidon.http.HeaderNames;
import io.helidon.webserver.http.ServerRequest;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.Locale;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Authenticates requests by {@code Authorization: Bearer …} and checks the access to endpoints. */
public final class BearerTokens {
  /** Knows the clients by their keys and tokens. */
  public interface Clients {
    /**
     * Returns the client that has a credential.
     *
     * @param credential a key or a token
     * @param address of the client, see {@link TrustedProxies}
     * @throws AuthenticationFailure if it is not valid, may not be used from there, or cannot be
     *     checked
     */
    Principal authenticate(String credential, String address);
  }

  private static final String SCHEME = "bearer ";

  private final Clients clients;
  private final byte @Nullable [] metricsToken;

  /**
   * @param metricsToken what {@code /metrics} and {@code /health*} require, null for nothing
   */
  public BearerTokens(Clients clients, @Nullable Secret metricsToken) {
    this.clients = clients;
    this.metricsToken =
        metricsToken == null ? null : metricsToken.value().getBytes(StandardCharsets.UTF_8);
  }

  /** Finds out who the client of a request is. */
  Authentication authenticate(ServerRequest request, String address) {
    String token = token(request);
    if (token == null) {
      return Authentication.NONE;
    }
    try {
      return new Authentication(clients.authenticate(token, address), null);
    } catch (AuthenticationFailure e) {
      return new Authentication(null, e);
    }
  }

  /**
   * Checks that the client of a request may use an endpoint.
   *
   * @param permission that the client's key must have; null if every key may
   * @throws ApiException if it may not
   */
  void require(Access access, @Nullable Permission permission, ServerRequest request) {
    switch (access) {
      case ANYBODY -> {}
      case KEY -> requirePermission(Exchange.of(request).principal(), permission);
      case ADMIN -> {
        Principal client = Exchange.of(request).principal();
        if (client.role() != Role.ADMIN) {
          throw new ApiException.Forbidden("Only administrators may use this path.");
        }
        requirePermission(client, permission);
      }
      case METRICS_TOKEN -> requireMetricsToken(request);
    }
  }

  private static void requirePermission(Principal client, @Nullable Permission permission) {
    if (permission != null && !client.grants().allows(permission)) {
      throw new ApiException.Forbidden(
          "Your API key may not be used for '%s', only for %s."
              .formatted(
                  permission.id(),
                  client.grants().permissions().stream()
                      .sorted()
                      .map(it -> "'" + it.id() + "'")
                      .collect(Collectors.joining(", "))));
    }
  }

  private void requireMetricsToken(ServerRequest request) {
    String token = token(request);
    if (metricsToken != null
        && (token == null
            || !MessageDigest.isEqual(metricsToken, token.getBytes(StandardCharsets.UTF_8)))) {
      throw new ApiException.Unauthenticated(
          "The metrics token is missing or wrong; send it as \"Authorization: Bearer TOKEN\".");
    }
  }

  private static @Nullable String token(ServerRequest request) {
    String value = request.headers().first(HeaderNames.AUTHORIZATION).orElse("");
    return value.toLowerCase(Locale.ROOT).startsWith(SCHEME)
        ? value.substring(SCHEME.length()).strip()
        : null;
  }
}
