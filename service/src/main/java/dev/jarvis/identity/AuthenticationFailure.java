package dev.jarvis.identity;

import dev.jarvis.error.ApiException;
import java.net.InetAddress;
import java.time.Duration;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * A credential was not accepted. Only a client that has the right secret learns that a key was
 * revoked or has expired, or that its user is blocked.
 */
public final class AuthenticationFailure extends RuntimeException {
  /** Why a credential was not accepted, as metrics and logs name it. */
  public enum Reason {
    UNKNOWN_KEY,
    REVOKED_KEY,
    EXPIRED_KEY,
    INVALID_TOKEN,
    /**
     * The issuer has signed it, but it has expired, is for another service or stands for nobody.
     */
    REFUSED_TOKEN,
    /** The user or the team is blocked. */
    BLOCKED,
    /** The key may not be used from the client's address. */
    ADDRESS,
    TOO_MANY_FAILURES,
    /** It could not be found out whether the credential is valid. */
    UNAVAILABLE;

    /** The name in telemetry. */
    public String id() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  private static final long serialVersionUID = 1L;

  private final Reason reason;
  private final ApiException error;

  public AuthenticationFailure(Reason reason, ApiException error) {
    super(reason.id(), error);
    this.reason = reason;
    this.error = error;
  }

  public Reason reason() {
    return reason;
  }

  /** The answer to a request that needs a client. */
  public ApiException error() {
    return error;
  }

  /** Whether the client may be guessing. */
  boolean isGuess() {
    return reason == Reason.UNKNOWN_KEY || reason == Reason.INVALID_TOKEN;
  }

  static AuthenticationFailure unknown() {
    return new AuthenticationFailure(
        Reason.UNKNOWN_KEY, new ApiException.Unauthenticated("The API key is unknown."));
  }

  static AuthenticationFailure ofNobody() {
    return new AuthenticationFailure(
        Reason.REFUSED_TOKEN,
        new ApiException.Unauthenticated(
            "The token stands for no user here, or for a team that does not exist."));
  }

  static AuthenticationFailure revoked() {
    return new AuthenticationFailure(
        Reason.REVOKED_KEY, new ApiException.Unauthenticated("The API key has been revoked."));
  }

  static AuthenticationFailure expired(boolean replaced) {
    return new AuthenticationFailure(
        Reason.EXPIRED_KEY,
        new ApiException.Unauthenticated(
            replaced
                ? "The API key was replaced by a new one, and its grace period is over."
                : "The API key has expired."));
  }

  static AuthenticationFailure blocked(boolean user) {
    return new AuthenticationFailure(
        Reason.BLOCKED,
        new ApiException.Forbidden(
            user ? "The user of this API key is blocked." : "The team of this API key is blocked.",
            "user_blocked"));
  }

  static AuthenticationFailure address(@Nullable InetAddress address) {
    return new AuthenticationFailure(
        Reason.ADDRESS,
        new ApiException.Forbidden(
            address == null
                ? "The API key may not be used from your address, which is not known."
                : "The API key may not be used from your address, %s."
                    .formatted(address.getHostAddress()),
            "address_not_allowed"));
  }

  static AuthenticationFailure tooMany(Duration retryAfter) {
    return new AuthenticationFailure(
        Reason.TOO_MANY_FAILURES,
        new ApiException.RateLimited(
            "Too many requests with an invalid API key came from your address; try again later.",
            "too_many_failures",
            retryAfter,
            null));
  }

  static AuthenticationFailure unavailable(@Nullable Throwable cause) {
    return new AuthenticationFailure(
        Reason.UNAVAILABLE,
        new ApiException.StorageUnavailable(
            "The API key cannot be checked, because the database is unavailable; try again later.",
            "identity_unavailable",
            cause));
  }
}
