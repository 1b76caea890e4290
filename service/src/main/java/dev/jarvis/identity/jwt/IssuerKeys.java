package dev.jarvis.identity.jwt;

import com.nimbusds.jose.KeySourceException;
import com.nimbusds.jose.jwk.JWKSet;
import com.nimbusds.jose.jwk.source.JWKSetBasedJWKSource;
import com.nimbusds.jose.jwk.source.JWKSetCacheRefreshEvaluator;
import com.nimbusds.jose.jwk.source.JWKSetRetrievalException;
import com.nimbusds.jose.jwk.source.JWKSetSource;
import com.nimbusds.jose.jwk.source.JWKSourceBuilder;
import com.nimbusds.jose.jwk.source.URLBasedJWKSetSource;
import com.nimbusds.jose.proc.SecurityContext;
import com.nimbusds.jose.util.DefaultResourceRetriever;
import com.nimbusds.jose.util.JSONObjectUtils;
import com.nimbusds.jose.util.ResourceRetriever;
import java.io.IOException;
import java.net.URI;
import java.net.URL;
import java.text.ParseException;
import java.time.Duration;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Fetches an issuer's public keys, from the URL that its discovery document names (<a
 * href="https://openid.net/specs/openid-connect-discovery-1_0.html">OpenID Connect Discovery
 * 1.0</a>) unless it is configured. They are fetched again in the background before they become
 * old, and when a token names a key that is not among them; while the issuer is away, the old ones
 * stay valid for an hour.
 */
final class IssuerKeys implements JWKSetSource<SecurityContext> {
  private static final Duration HTTP_LIMIT = Duration.ofSeconds(2);
  private static final int MAX_BYTES = 1 << 20;
  private static final Duration MAX_AGE = Duration.ofMinutes(5);
  private static final Duration REFRESH_AHEAD = Duration.ofMinutes(1);
  private static final Duration OUTAGE = Duration.ofHours(1);

  /** At most two requests in this time, however many tokens name unknown keys. */
  private static final Duration MIN_INTERVAL = Duration.ofSeconds(10);

  private final IssuerConfig config;
  private final ResourceRetriever http =
      new DefaultResourceRetriever(
          Math.toIntExact(HTTP_LIMIT.toMillis()),
          Math.toIntExact(HTTP_LIMIT.toMillis()),
          MAX_BYTES);

  private IssuerKeys(IssuerConfig config) {
    this.config = config;
  }

  /** The keys of an issuer; fetched when they are needed first. To be closed. */
  static JWKSetBasedJWKSource<SecurityContext> of(IssuerConfig config) {
    return (JWKSetBasedJWKSource<SecurityContext>)
        JWKSourceBuilder.create(new IssuerKeys(config))
            // a fetch takes two requests, each limited in connecting and reading
            .cache(MAX_AGE.toMillis(), HTTP_LIMIT.multipliedBy(4).toMillis())
            .refreshAheadCache(REFRESH_AHEAD.toMillis(), true)
            .rateLimited(MIN_INTERVAL.toMillis())
            .outageTolerant(OUTAGE.toMillis())
            .build();
  }

  @Override
  public JWKSet getJWKSet(
      JWKSetCacheRefreshEvaluator refreshEvaluator,
      long currentTime,
      @Nullable SecurityContext context)
      throws KeySourceException {
    try {
      return new URLBasedJWKSetSource<>(location(), http)
          .getJWKSet(refreshEvaluator, currentTime, context);
    } catch (IOException | ParseException | IllegalArgumentException e) {
      throw new JWKSetRetrievalException("no discovery document: " + e.getMessage(), e);
    }
  }

  private URL location() throws IOException, ParseException {
    if (config.jwksUrl() != null) {
      return config.jwksUrl().uri().toURL();
    }
    String issuer = config.issuer().uri().toString();
    String base = issuer.endsWith("/") ? issuer.substring(0, issuer.length() - 1) : issuer;
    Map<String, Object> document =
        JSONObjectUtils.parse(
            http.retrieveResource(URI.create(base + "/.well-known/openid-configuration").toURL())
                .getContent());
    if (!issuer.equals(document.get("issuer"))) { // section 4.3 of Discovery
      throw new ParseException("it is of another issuer", 0);
    }
    URI keys = JSONObjectUtils.getURI(document, "jwks_uri");
    if (keys == null) {
      throw new ParseException("it has no jwks_uri", 0);
    }
    return keys.toURL();
  }

  @Override
  public void close() {}
}
