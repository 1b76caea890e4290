package dev.jarvis.identity.jwt;

import com.nimbusds.jwt.SignedJWT;
import dev.jarvis.identity.AuthenticationFailure.Reason;
import dev.jarvis.identity.Authenticator;
import dev.jarvis.identity.Authenticator.TokenUser;
import java.io.IOException;
import java.text.ParseException;
import java.util.HashMap;
import java.util.Map;

/** Verifies tokens of the configured issuers. */
public final class Issuers implements Authenticator.Tokens, AutoCloseable {
  private final Map<String, Issuer> byUrl = new HashMap<>();

  /**
   * @param configs by the issuers' names
   */
  public Issuers(Map<String, IssuerConfig> configs) {
    configs.forEach(
        (name, config) -> byUrl.put(config.issuer().uri().toString(), new Issuer(name, config)));
  }

  @Override
  public TokenUser verify(String text) {
    SignedJWT token;
    String url;
    try {
      token = SignedJWT.parse(text);
      url = token.getJWTClaimsSet().getIssuer();
    } catch (ParseException e) {
      throw TokenClaims.refused(Reason.INVALID_TOKEN, "it is not a signed JWT");
    }
    Issuer issuer = byUrl.get(url);
    if (issuer == null) {
      throw TokenClaims.refused(Reason.INVALID_TOKEN, "its issuer is not accepted here");
    }
    return issuer.verify(token);
  }

  @Override
  public void close() throws IOException {
    for (Issuer issuer : byUrl.values()) {
      issuer.close();
    }
  }
}
