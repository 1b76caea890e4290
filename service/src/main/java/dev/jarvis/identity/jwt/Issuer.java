package dev.jarvis.identity.jwt;

import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.JOSEObjectType;
import com.nimbusds.jose.KeySourceException;
import com.nimbusds.jose.jwk.source.JWKSetBasedJWKSource;
import com.nimbusds.jose.jwk.source.JWKSetCacheRefreshEvaluator;
import com.nimbusds.jose.jwk.source.RateLimitReachedException;
import com.nimbusds.jose.proc.BadJOSEException;
import com.nimbusds.jose.proc.BadJWSException;
import com.nimbusds.jose.proc.DefaultJOSEObjectTypeVerifier;
import com.nimbusds.jose.proc.JWSVerificationKeySelector;
import com.nimbusds.jose.proc.SecurityContext;
import com.nimbusds.jwt.JWTClaimsSet;
import com.nimbusds.jwt.SignedJWT;
import com.nimbusds.jwt.proc.BadJWTException;
import com.nimbusds.jwt.proc.DefaultJWTClaimsVerifier;
import com.nimbusds.jwt.proc.DefaultJWTProcessor;
import dev.jarvis.error.ApiException;
import dev.jarvis.identity.AuthenticationFailure;
import dev.jarvis.identity.AuthenticationFailure.Reason;
import dev.jarvis.identity.Authenticator.TokenUser;
import java.io.Closeable;
import java.io.IOException;
import java.time.Duration;
import java.util.Set;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Verifies the tokens of one issuer. */
final class Issuer implements Closeable {
  private static final Logger LOG = LoggerFactory.getLogger(Issuer.class);
  private static final Duration CLOCK_SKEW = Duration.ofSeconds(60);

  private final String name;
  private final JWKSetBasedJWKSource<SecurityContext> keys;
  private final DefaultJWTProcessor<SecurityContext> processor = new DefaultJWTProcessor<>();
  private final TokenClaims claims;

  /**
   * @param name in the configuration
   */
  Issuer(String name, IssuerConfig config) {
    this.name = name;
    this.claims = new TokenClaims(name, config);
    this.keys = IssuerKeys.of(config);
    processor.setJWSKeySelector(
        new JWSVerificationKeySelector<>(
            config.algorithms().stream()
                .map(SigningAlgorithm::algorithm)
                .collect(Collectors.toSet()),
            keys));
    processor.setJWSTypeVerifier(
        new DefaultJOSEObjectTypeVerifier<>(
            JOSEObjectType.JWT, new JOSEObjectType("at+jwt"), null)); // RFC 9068
    DefaultJWTClaimsVerifier<SecurityContext> verifier =
        new DefaultJWTClaimsVerifier<>(
            Set.copyOf(config.audiences()),
            new JWTClaimsSet.Builder().issuer(config.issuer().uri().toString()).build(),
            Set.of("iss", "aud", "exp"),
            null);
    verifier.setMaxClockSkew(Math.toIntExact(CLOCK_SKEW.toSeconds()));
    processor.setJWTClaimsSetVerifier(verifier);
  }

  /**
   * Verifies a token's signature and claims.
   *
   * @throws AuthenticationFailure if it is not valid, stands for nobody, or cannot be checked
   */
  TokenUser verify(SignedJWT token) {
    try {
      return claims.user(processed(token));
    } catch (RateLimitReachedException e) { // it names a key that was not there a moment ago
      throw TokenClaims.refused(Reason.INVALID_TOKEN, "its signing key is not known");
    } catch (KeySourceException e) {
      LOG.atWarn()
          .addKeyValue("issuer", name)
          .addKeyValue("error", e.getMessage())
          .log("the keys of an issuer are unavailable");
      throw new AuthenticationFailure(
          Reason.UNAVAILABLE,
          new ApiException.StorageUnavailable(
              "The signing keys of the token's issuer are unavailable; try again later.",
              "issuer_unavailable",
              e));
    } catch (BadJWTException e) { // after the signature was found good
      throw TokenClaims.refused(Reason.REFUSED_TOKEN, String.valueOf(e.getMessage()));
    } catch (BadJOSEException | JOSEException e) {
      throw TokenClaims.refused(Reason.INVALID_TOKEN, String.valueOf(e.getMessage()));
    }
  }

  private JWTClaimsSet processed(SignedJWT token) throws BadJOSEException, JOSEException {
    try {
      return processor.process(token, null);
    } catch (BadJWSException e) {
      if (token.getHeader().getKeyID() != null) {
        throw e;
      }
      renewKeys(); // the token does not name its key, so that only its signature shows a new one
      return processor.process(token, null);
    }
  }

  private void renewKeys() throws KeySourceException {
    try {
      var _ =
          keys.getJWKSetSource()
              .getJWKSet(
                  JWKSetCacheRefreshEvaluator.forceRefresh(), System.currentTimeMillis(), null);
    } catch (RateLimitReachedException e) {
      // they are new enough
    }
  }

  @Override
  public void close() throws IOException {
    keys.close();
  }
}
