package dev.jarvis.identity.jwt;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import com.nimbusds.jose.EncryptionMethod;
import com.nimbusds.jose.JOSEObjectType;
import com.nimbusds.jose.JWEAlgorithm;
import com.nimbusds.jose.JWEHeader;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.JWSHeader;
import com.nimbusds.jose.crypto.MACSigner;
import com.nimbusds.jose.crypto.RSAEncrypter;
import com.nimbusds.jose.jwk.RSAKey;
import com.nimbusds.jwt.EncryptedJWT;
import com.nimbusds.jwt.JWTClaimsSet;
import com.nimbusds.jwt.PlainJWT;
import com.nimbusds.jwt.SignedJWT;
import dev.jarvis.config.Configs;
import dev.jarvis.error.ApiException;
import dev.jarvis.identity.AuthenticationFailure;
import dev.jarvis.identity.Authenticator.TokenUser;
import dev.jarvis.identity.Role;
import java.time.Instant;
import java.util.Date;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class IssuersTest {
  private static OwnIssuer own;
  private static RSAKey key;
  private static Issuers issuers;

  @BeforeAll
  static void start() throws Exception {
    own = new OwnIssuer();
    key = own.publish("first");
    issuers = issuers(own, Map.of());
  }

  @AfterAll
  static void stop() throws Exception {
    issuers.close();
    own.close();
  }

  private static Issuers issuers(OwnIssuer issuer, Map<String, String> settings) {
    Map<String, String> all = new HashMap<>(Map.of("issuer", issuer.url(), "audiences", "jarvis"));
    all.putAll(settings);
    return new Issuers(Map.of("company", Configs.of(IssuerConfig.class, all)));
  }

  private static JWTClaimsSet.Builder claims() {
    return new JWTClaimsSet.Builder()
        .issuer(own.url())
        .audience("jarvis")
        .subject("ann")
        .expirationTime(Date.from(Instant.now().plusSeconds(300)));
  }

  @Test
  void aValidTokenStandsForItsUser() throws Exception {
    assertThat(issuers.verify(OwnIssuer.sign(key, claims().build())))
        .isEqualTo(new TokenUser("ann", null, null, "oidc:company:ann", false));
  }

  static Stream<Arguments> accepted() {
    return Stream.of(
        arguments(
            "an access token of RFC 9068",
            JWSAlgorithm.RS256,
            new JOSEObjectType("at+jwt"),
            (UnaryOperator<JWTClaimsSet.Builder>) it -> it),
        arguments(
            "no type", JWSAlgorithm.RS256, null, (UnaryOperator<JWTClaimsSet.Builder>) it -> it),
        arguments(
            "one of several audiences",
            JWSAlgorithm.RS256,
            JOSEObjectType.JWT,
            (UnaryOperator<JWTClaimsSet.Builder>) it -> it.audience(List.of("x", "jarvis"))),
        arguments(
            "expired within the skew of clocks",
            JWSAlgorithm.RS256,
            JOSEObjectType.JWT,
            (UnaryOperator<JWTClaimsSet.Builder>)
                it -> it.expirationTime(Date.from(Instant.now().minusSeconds(30)))));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource
  void accepted(
      String what,
      JWSAlgorithm algorithm,
      JOSEObjectType type,
      UnaryOperator<JWTClaimsSet.Builder> change)
      throws Exception {
    String token = OwnIssuer.sign(key, algorithm, type, change.apply(claims()).build());

    assertThat(issuers.verify(token).userId()).isEqualTo("ann");
  }

  /** Makes a token that must be refused. */
  private interface Forger {
    String token() throws Exception;
  }

  static Stream<Arguments> refused() {
    return Stream.of(
        refusal("of another issuer", () -> signed(claims().issuer("http://elsewhere")), "issuer"),
        refusal("without an issuer", () -> signed(claims().issuer(null)), "issuer"),
        refusal("for another service", () -> signed(claims().audience("other")), "aud claim"),
        refusal("without an audience", () -> signed(claims().audience((String) null)), "aud"),
        refusal(
            "expired",
            () -> signed(claims().expirationTime(Date.from(Instant.now().minusSeconds(90)))),
            "xpired"),
        refusal("without an expiry", () -> signed(claims().expirationTime(null)), "exp"),
        refusal(
            "not yet valid",
            () -> signed(claims().notBeforeTime(Date.from(Instant.now().plusSeconds(90)))),
            "before use time"),
        refusal("of nobody", () -> signed(claims().subject(null)), "claim 'sub' must be"),
        refusal(
            "of an id that no user has",
            () -> signed(claims().subject("a/b")),
            "none of them blank"),
        refusal(
            "signed by another key of the same name",
            () -> OwnIssuer.sign(OwnIssuer.key("first"), claims().build()),
            "nvalid signature"),
        refusal(
            "by an algorithm that is not allowed",
            () -> OwnIssuer.sign(key, JWSAlgorithm.PS512, JOSEObjectType.JWT, claims().build()),
            "Another algorithm expected"),
        refusal(
            "without a signature",
            () -> new PlainJWT(claims().build()).serialize(),
            "not a signed"),
        refusal(
            "by a shared secret that is the public key",
            IssuersTest::signedByPublicKey,
            "algorithm"),
        refusal("encrypted", IssuersTest::encrypted, "not a signed"),
        refusal(
            "of another type",
            () ->
                OwnIssuer.sign(
                    key, JWSAlgorithm.RS256, new JOSEObjectType("logout+jwt"), claims().build()),
            "type"),
        refusal("no token", () -> "a.b.c", "not a signed"));
  }

  private static Arguments refusal(String what, Forger forger, String reason) {
    return arguments(what, forger, reason);
  }

  private static String signed(JWTClaimsSet.Builder claims) throws Exception {
    return OwnIssuer.sign(key, claims.build());
  }

  private static String signedByPublicKey() throws Exception {
    SignedJWT token =
        new SignedJWT(
            new JWSHeader.Builder(JWSAlgorithm.HS256).keyID("first").build(), claims().build());
    token.sign(new MACSigner(key.toRSAPublicKey().getEncoded()));
    return token.serialize();
  }

  private static String encrypted() throws Exception {
    EncryptedJWT token =
        new EncryptedJWT(
            new JWEHeader(JWEAlgorithm.RSA_OAEP_256, EncryptionMethod.A128GCM), claims().build());
    token.encrypt(new RSAEncrypter(key.toRSAPublicKey()));
    return token.serialize();
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource
  void refused(String what, Forger forger, String reason) throws Exception {
    String token = forger.token();

    assertThatThrownBy(() -> issuers.verify(token))
        .isInstanceOf(AuthenticationFailure.class)
        .cause()
        .isInstanceOf(ApiException.Unauthenticated.class)
        .hasMessageContaining(reason)
        .hasMessageNotContaining(token);
  }

  static Stream<Arguments> mapped() {
    return Stream.of(
        arguments("a member", Map.of("groups", List.of("staff")), Role.MEMBER),
        arguments("an administrator", Map.of("groups", List.of("staff", "ops")), Role.ADMIN),
        arguments("one role as a text", Map.of("groups", "ops"), Role.ADMIN),
        arguments("no role", Map.of(), Role.MEMBER),
        arguments("a role in an odd form", Map.of("groups", Map.of("ops", true)), Role.MEMBER));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource
  void mapped(String what, Map<String, Object> more, Role role) throws Exception {
    try (Issuers mapping =
        issuers(
            own,
            Map.of(
                "user-claim", "email",
                "team-claim", "company.team",
                "role-claim", "groups",
                "admin-roles", "ops,root",
                "create-users", "true"))) {
      JWTClaimsSet.Builder claims =
          claims()
              .claim("email", "ann@x.org")
              .claim("email_verified", true)
              .claim("company", Map.of("team", "research"));
      more.forEach(claims::claim);

      assertThat(mapping.verify(OwnIssuer.sign(key, claims.build())))
          .isEqualTo(new TokenUser("ann@x.org", "research", role, "oidc:company:ann@x.org", true));
    }
  }

  @Test
  void aNewKeyIsFetchedWhenATokenNamesIt() throws Exception {
    try (OwnIssuer issuer = new OwnIssuer();
        Issuers rotating = issuers(issuer, Map.of())) {
      RSAKey first = issuer.publish("a");
      JWTClaimsSet claims = claims().issuer(issuer.url()).build();
      rotating.verify(OwnIssuer.sign(first, claims));
      RSAKey second = issuer.publish("b");
      issuer.withdraw("a");

      assertThat(rotating.verify(OwnIssuer.sign(second, claims)).userId()).isEqualTo("ann");
      assertThatThrownBy(() -> rotating.verify(OwnIssuer.sign(first, claims)))
          .as("the old key is withdrawn")
          .isInstanceOf(AuthenticationFailure.class);
    }
  }

  @Test
  void aNewKeyIsFetchedForATokenThatDoesNotNameItsKey() throws Exception {
    try (OwnIssuer issuer = new OwnIssuer();
        Issuers rotating = issuers(issuer, Map.of())) {
      JWTClaimsSet claims = claims().issuer(issuer.url()).build();
      rotating.verify(OwnIssuer.sign(issuer.publish(null), claims));
      RSAKey second = issuer.publish(null);

      assertThat(rotating.verify(OwnIssuer.sign(second, claims)).userId()).isEqualTo("ann");
      String forged = OwnIssuer.sign(OwnIssuer.key(null), claims);
      for (int i = 0; i < 10; i++) {
        assertThatThrownBy(() -> rotating.verify(forged)).isInstanceOf(AuthenticationFailure.class);
      }
      assertThat(issuer.fetches()).isLessThan(5);
    }
  }

  @Test
  void keysStayValidWhileTheIssuerIsAwayAndUnknownOnesDoNotFloodIt() throws Exception {
    try (OwnIssuer issuer = new OwnIssuer();
        Issuers tolerant = issuers(issuer, Map.of())) {
      RSAKey known = issuer.publish("a");
      JWTClaimsSet claims = claims().issuer(issuer.url()).build();
      tolerant.verify(OwnIssuer.sign(known, claims));
      issuer.away(true);
      RSAKey unknown = OwnIssuer.key("junk");

      for (int i = 0; i < 20; i++) {
        String forged =
            OwnIssuer.sign(new RSAKey.Builder(unknown).keyID("junk-" + i).build(), claims);
        assertThatThrownBy(() -> tolerant.verify(forged)).isInstanceOf(AuthenticationFailure.class);
        assertThat(tolerant.verify(OwnIssuer.sign(known, claims)).userId()).isEqualTo("ann");
      }
      assertThat(issuer.fetches()).isLessThan(5);
    }
  }

  @Test
  void unknownKeysAreTheClientsFaultWhileTheIssuerAnswers() throws Exception {
    try (OwnIssuer issuer = new OwnIssuer();
        Issuers busy = issuers(issuer, Map.of())) {
      JWTClaimsSet claims = claims().issuer(issuer.url()).build();
      busy.verify(OwnIssuer.sign(issuer.publish("a"), claims));
      RSAKey unknown = OwnIssuer.key("junk");

      for (int i = 0; i < 20; i++) {
        String forged =
            OwnIssuer.sign(new RSAKey.Builder(unknown).keyID("junk-" + i).build(), claims);
        assertThatThrownBy(() -> busy.verify(forged))
            .cause()
            .isInstanceOf(ApiException.Unauthenticated.class);
      }
      assertThat(issuer.fetches()).isLessThan(5);
    }
  }

  @Test
  void anAddressThatIsNotVerifiedIsNobodys() throws Exception {
    try (Issuers byAddress = issuers(own, Map.of("user-claim", "email"))) {
      String token =
          OwnIssuer.sign(
              key, claims().claim("email", "ann@x.org").claim("email_verified", false).build());

      assertThatThrownBy(() -> byAddress.verify(token))
          .cause()
          .hasMessageContaining("'email_verified' is not true");
    }
  }

  @Test
  void anIssuerThatIsAwayFromTheBeginningIsReported() throws Exception {
    try (OwnIssuer issuer = new OwnIssuer();
        Issuers later = issuers(issuer, Map.of())) {
      RSAKey known = issuer.publish("a");
      String token = OwnIssuer.sign(known, claims().issuer(issuer.url()).build());
      issuer.away(true);

      assertThatThrownBy(() -> later.verify(token))
          .cause()
          .isInstanceOf(ApiException.StorageUnavailable.class)
          .hasMessage("The signing keys of the token's issuer are unavailable; try again later.");
    }
  }

  @Test
  void aDiscoveryDocumentOfAnotherIssuerIsNotBelieved() throws Exception {
    try (OwnIssuer issuer = new OwnIssuer();
        Issuers misled = issuers(issuer, Map.of())) {
      issuer.claimToBe("https://elsewhere.example");
      String token = OwnIssuer.sign(issuer.publish("a"), claims().issuer(issuer.url()).build());

      assertThatThrownBy(() -> misled.verify(token))
          .cause()
          .isInstanceOf(ApiException.StorageUnavailable.class);
    }
  }
}
