package dev.jarvis.identity.jwt;

import com.nimbusds.jwt.JWTClaimsSet;
import dev.jarvis.error.ApiException;
import dev.jarvis.identity.AuthenticationFailure;
import dev.jarvis.identity.AuthenticationFailure.Reason;
import dev.jarvis.identity.Authenticator.TokenUser;
import dev.jarvis.identity.Identifier;
import dev.jarvis.identity.Role;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Finds out from a token's claims whom it stands for, as the configuration of its issuer says. */
final class TokenClaims {
  /** An address that the issuer has not verified may be another person's (OpenID Connect Core). */
  private static final String EMAIL = "email";

  private static final String VERIFIED = "email_verified";

  private final String issuer;
  private final IssuerConfig config;

  TokenClaims(String issuer, IssuerConfig config) {
    this.issuer = issuer;
    this.config = config;
  }

  /**
   * @throws AuthenticationFailure if a claim that is needed is missing or has another form
   */
  TokenUser user(JWTClaimsSet claims) {
    String user = id(claims, config.userClaim());
    if (config.userClaim().equals(EMAIL) && !Boolean.TRUE.equals(claims.getClaim(VERIFIED))) {
      throw refused(Reason.REFUSED_TOKEN, "its claim '%s' is not true".formatted(VERIFIED));
    }
    return new TokenUser(
        user,
        config.teamClaim() == null ? null : id(claims, config.teamClaim()),
        config.roleClaim() == null ? null : role(claims, config.roleClaim()),
        "oidc:%s:%s".formatted(issuer, user),
        config.createUsers());
  }

  /** The error for a token that is not valid. */
  static AuthenticationFailure refused(Reason why, String reason) {
    return new AuthenticationFailure(
        why, new ApiException.Unauthenticated("The token is not valid: " + reason + "."));
  }

  private static String id(JWTClaimsSet claims, String name) {
    if (claim(claims, name) instanceof String text && Identifier.isValid(text)) {
      return text;
    }
    throw refused(
        Reason.REFUSED_TOKEN, "its claim '%s' must be an id: %s".formatted(name, Identifier.RULE));
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
