package dev.jarvis.identity.jwt;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.JOSEObjectType;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.JWSHeader;
import com.nimbusds.jose.crypto.RSASSASigner;
import com.nimbusds.jose.jwk.JWK;
import com.nimbusds.jose.jwk.JWKSet;
import com.nimbusds.jose.jwk.KeyUse;
import com.nimbusds.jose.jwk.RSAKey;
import com.nimbusds.jose.jwk.gen.RSAKeyGenerator;
import com.nimbusds.jwt.JWTClaimsSet;
import com.nimbusds.jwt.SignedJWT;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/** An issuer that can do wrong, which a real one cannot be made to do. */
final class OwnIssuer implements AutoCloseable {
  private final HttpServer server =
      HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
  private final Map<@Nullable String, RSAKey> published = new HashMap<>();
  private final AtomicInteger fetches = new AtomicInteger();
  private volatile boolean away;
  private volatile String issuerInDocument = url();

  OwnIssuer() throws IOException {
    server.createContext(
        "/",
        exchange -> {
          boolean keys = exchange.getRequestURI().getPath().equals("/keys");
          byte[] body =
              (keys
                      ? new JWKSet(published.values().stream().map(it -> (JWK) it).toList())
                          .toString()
                      : "{\"issuer\":\"%s\",\"jwks_uri\":\"%s/keys\"}"
                          .formatted(issuerInDocument, url()))
                  .getBytes(UTF_8);
          if (keys) {
            fetches.incrementAndGet();
          }
          exchange.sendResponseHeaders(away ? 500 : 200, body.length);
          exchange.getResponseBody().write(body);
          exchange.close();
        });
    server.start();
  }

  String url() {
    return "http://127.0.0.1:" + server.getAddress().getPort();
  }

  /** Makes a key, and publishes it. */
  RSAKey publish(@Nullable String id) throws JOSEException {
    RSAKey key = key(id);
    published.put(id, key);
    return key;
  }

  /** Makes a key that is not published. */
  static RSAKey key(@Nullable String id) throws JOSEException {
    return new RSAKeyGenerator(2048).keyID(id).keyUse(KeyUse.SIGNATURE).generate();
  }

  void withdraw(String id) {
    published.remove(id);
  }

  void away(boolean now) {
    away = now;
  }

  void claimToBe(String issuer) {
    issuerInDocument = issuer;
  }

  int fetches() {
    return fetches.get();
  }

  static String sign(RSAKey key, JWTClaimsSet claims) throws JOSEException {
    return sign(key, JWSAlgorithm.RS256, JOSEObjectType.JWT, claims);
  }

  static String sign(RSAKey key, JWSAlgorithm algorithm, JOSEObjectType type, JWTClaimsSet claims)
      throws JOSEException {
    SignedJWT token =
        new SignedJWT(
            new JWSHeader.Builder(algorithm).keyID(key.getKeyID()).type(type).build(), claims);
    token.sign(new RSASSASigner(key));
    return token.serialize();
  }

  @Override
  public void close() {
    server.stop(0);
  }
}
