package dev.jarvis.identity.jwt;

import com.nimbusds.jwt.JWTClaimsSet;
import dev.jarvis.error.ApiException;
import dev.jarvis.identity.Role;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Finds out from a token's claims whom it stands for, as the configuration of its issuer says. */
final class TokenClaims {
  private final String issuer;
  private final IssuerConfig config;

  TokenClaims(String issuer, IssuerConfig config) {
    this.issuer = issuer;
    this.config = config;
  }

  /**
   * @throws ApiException.Unauthenticated if a claim that is needed is missing or has another form
   */
  Token token(JWTClaimsSet claims) {
    return new Token(
        issuer,
        text(claims, config.userClaim()),
        config.teamClaim() == null ? null : text(claims, config.teamClaim()),
        config.roleClaim() == null ? null : role(claims, config.roleClaim()),
        config.createUsers());
  }

  /** The error for a token that is not valid. */
  static ApiException.Unauthenticated refused(String reason) {
    return new ApiException.Unauthenticated("The token is not valid: " + reason + ".");
  }

  private static String text(JWTClaimsSet claims, String name) {
    Object value = claim(claims, name);
    if (value instanceof String text && !text.isBlank()) {
      return text;
    }
    throw refused("its claim '%s' must be a text".formatted(name));
  }

  private Role role(JWTClaimsSet claims, String name) {
    Object value = claim(claims, name);
    List<?> roles =
        value instanceof List<?> list ? list : value == null ? List.of() : List.of(value);
    return roles.stream().anyMatch(config.adminRoles()::contains) ? Role.ADMIN : Role.MEMBER;
  }

  /** A claim of that name, or else the end of a path into objects. */
  private static @Nullable Object claim(JWTClaimsSet claims, String name) {
    Object value = claims.getClaim(name);
    if (value != null) {
      return value;
    }
    Object current = claims.getClaims();
    for (String part : name.split("\\.", -1)) {
      current = current instanceof Map<?, ?> object ? object.get(part) : null;
    }
    return current;
  }
}
