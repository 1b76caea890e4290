package dev.jarvis.identity;

import dev.jarvis.error.ApiException;
import dev.jarvis.gateway.Grants;
import dev.jarvis.gateway.RateLimits;
import dev.jarvis.identity.AuthenticationFailure.Reason;
import dev.jarvis.identity.KnownKey.Sha256;
import dev.jarvis.telemetry.Instruments;
import dev.jarvis.telemetry.Metric;
import java.net.InetAddress;
import java.time.InstantSource;
import java.util.Optional;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/** Finds out which client a key or token belongs to, and whether it may be used. */
public final class Authenticator {
  /** Verifies tokens of other issuers. */
  public interface Tokens {
    /**
     * Returns whom a token is for.
     *
     * @param token of the form of a JWT
     * @throws AuthenticationFailure if it is not valid, or cannot be checked
     */
    TokenUser verify(String token);
  }

  /**
   * Whom a token is for.
   *
   * @param userId of the form of a user's id
   * @param teamId the team instead of the user's own; null for that
   * @param role the role instead of the user's own; null for that
   * @param tokenId stands for the key's id in logs and limits; never the token itself
   * @param createUser whether a user that the database does not have is created, as a member
   */
  public record TokenUser(
      String userId,
      @Nullable String teamId,
      @Nullable Role role,
      String tokenId,
      boolean createUser) {}

  /** Stands for the hash of a key that does not exist, so that the time does not tell. */
  private static final Sha256 NO_KEY = new Sha256(new byte[32]);

  private final ApiKeys configured;
  private final Identities identities;
  private final KeyUse uses;
  private final @Nullable Tokens tokens;
  private final VerifiedTokens verified;
  private final FailedAttempts attempts;
  private final Instruments instruments;
  private final InstantSource clock;

  /**
   * @param tokens null if no token is accepted
   */
  public Authenticator(
      IdentityConfig config,
      ApiKeys configured,
      Identities identities,
      KeyUse uses,
      @Nullable Tokens tokens,
      Instruments instruments) {
    this(
        config,
        configured,
        identities,
        uses,
        tokens,
        instruments,
        InstantSource.system(),
        System::nanoTime);
  }

  Authenticator(
      IdentityConfig config,
      ApiKeys configured,
      Identities identities,
      KeyUse uses,
      @Nullable Tokens tokens,
      Instruments instruments,
      InstantSource clock,
      LongSupplier nanoTime) {
    this.configured = configured;
    this.identities = identities;
    this.uses = uses;
    this.tokens = tokens;
    this.verified = new VerifiedTokens(config.maxKnownKeys());
    this.attempts = new FailedAttempts(config.maxFailuresPerMinute(), nanoTime);
    this.instruments = instruments;
    this.clock = clock;
    for (Reason reason : Reason.values()) {
      instruments.add(Metric.AUTHENTICATION_FAILURES, 0, reason.id());
    }
  }

  /**
   * Returns the client that has a credential.
   *
   * @param address of the client, as an IP address
   * @throws AuthenticationFailure if the credential is not valid, may not be used from there, or
   *     cannot be checked
   */
  public Principal authenticate(String credential, String address) {
    try {
      return client(credential, parse(address));
    } catch (AuthenticationFailure e) {
      instruments.add(Metric.AUTHENTICATION_FAILURES, 1, e.reason().id());
      throw e;
    } catch (RuntimeException e) { // a bug; no request may be let through, or be without an answer
      instruments.add(Metric.AUTHENTICATION_FAILURES, 1, Reason.UNAVAILABLE.id());
      throw new AuthenticationFailure(Reason.UNAVAILABLE, new ApiException.Internal(e));
    }
  }

  private Principal client(String credential, @Nullable InetAddress address) {
    String user = configured.user(credential);
    if (user != null) {
      return configured(user);
    }
    Optional<ApiKey> key = ApiKey.parse(credential);
    KnownKey held = key.map(it -> identities.heldKey(it.prefix())).orElse(null);
    if (held != null && held.sha256().matches(key.orElseThrow().sha256())) {
      return admit(held, address);
    }
    if (key.isEmpty() && verified.contains(credential)) {
      return token(credential);
    }
    FailedAttempts.Attempt attempt = attempts.begin(address);
    boolean guess = false;
    try {
      return key.isPresent() ? stored(key.get(), address) : token(credential);
    } catch (AuthenticationFailure e) {
      guess = e.isGuess();
      throw e;
    } finally {
      attempt.end(guess);
    }
  }

  private Principal configured(String user) {
    return identities
        .user(user)
        .orElseThrow(AuthenticationFailure::unknown)
        .principal("config:" + user, Grants.ALL, RateLimits.DEFAULTS);
  }

  private Principal stored(ApiKey key, @Nullable InetAddress address) {
    Optional<KnownKey> known = identities.key(key.prefix());
    boolean matches = known.map(KnownKey::sha256).orElse(NO_KEY).matches(key.sha256());
    return admit(known.filter(it -> matches).orElseThrow(AuthenticationFailure::unknown), address);
  }

  private Principal admit(KnownKey key, @Nullable InetAddress address) {
    Principal client = key.principal(address, clock.instant());
    uses.used(key.id());
    return client;
  }

  private Principal token(String credential) {
    if (tokens == null || credential.chars().filter(it -> it == '.').count() != 2) {
      throw AuthenticationFailure.unknown();
    }
    TokenUser token = tokens.verify(credential);
    KnownUser user = user(token).orElseThrow(AuthenticationFailure::ofNobody);
    if (token.role() != null) {
      user = user.as(token.role());
    }
    if (token.teamId() != null) {
      user = user.in(identities.team(token.teamId()).orElseThrow(AuthenticationFailure::ofNobody));
    }
    Principal client = user.principal(token.tokenId(), Grants.ALL, RateLimits.DEFAULTS);
    verified.add(credential);
    return client;
  }

  private Optional<KnownUser> user(TokenUser token) {
    Optional<KnownUser> user = identities.user(token.userId());
    return user.isEmpty() && token.createUser() ? identities.add(token.userId()) : user;
  }

  private static @Nullable InetAddress parse(String address) {
    try {
      return InetAddress.ofLiteral(address.split("%", 2)[0]); // without the zone
    } catch (IllegalArgumentException e) {
      return null;
    }
  }
}
