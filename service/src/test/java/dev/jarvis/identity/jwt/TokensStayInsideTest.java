package dev.jarvis.identity.jwt;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.nimbusds.jose.JOSEObjectType;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.jwk.RSAKey;
import com.nimbusds.jwt.JWTClaimsSet;
import dev.jarvis.TestService;
import dev.jarvis.Traces;
import dev.jarvis.http.connection.RawConnection;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.Date;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** What requests with tokens leave behind, for every outcome. */
class TokensStayInsideTest {
  private static final Duration LIMIT = Duration.ofSeconds(20);

  /** Of a part of a token: long enough to be no accident. */
  private static final int PIECE = 20;

  @Test
  void noTokenIsInALineASpanAnAnswerOrARow() throws Exception {
    try (OidcProvider issuer = OidcProvider.start();
        OwnIssuer own = new OwnIssuer();
        OwnIssuer away = new OwnIssuer();
        Traces traces = new Traces();
        TestService service =
            TestService.startWith(
                """
                issuers:
                  company: {issuer: "%s", audiences: jarvis}
                  own: {issuer: "%s", audiences: jarvis}
                  away: {issuer: "%s", audiences: jarvis}
                """
                    .formatted(issuer.url(), own.url(), away.url()))) {
      service.database().execute("INSERT INTO users (id, role) VALUES ('ann', 'member')");
      service.database().execute("INSERT INTO users (id, role) VALUES ('root', 'admin')");
      away.away(true);
      String ann = issuer.signIn("ann", "jarvis");
      Map<String, String> good = Map.of("ann", ann, "root", issuer.signIn("root", "jarvis"));
      Map<String, String> bad = refused(issuer, own, away);

      use(service, traces, good);
      bad.forEach((what, token) -> refuse(service, traces, what, token));
      malformed(service, traces, ann);

      await()
          .atMost(LIMIT)
          .untilAsserted(
              () -> {
                assertThat(traces.completed("auth_failure"))
                    .hasSizeGreaterThanOrEqualTo(2 * bad.size())
                    .contains("invalid_token", "unavailable");
                assertThat(service.database().rows("SELECT 1 FROM ledger_entries")).hasSize(2);
              });
      String left = traces.text() + Traces.rows(service.database());
      assertThat(left).as("the audit log is read").contains("oidc:company:root");
      good.forEach((what, token) -> assertNothingOf(what, token, left));
      bad.forEach((what, token) -> assertNothingOf(what, token, left));
    }
  }

  private static void assertNothingOf(String what, String token, String left) {
    for (String part : token.split("\\.", -1)) {
      if (part.length() >= PIECE) {
        assertThat(left)
            .as(what)
            .doesNotContain(part.substring(0, PIECE), part.substring(part.length() - PIECE));
      }
    }
  }

  /** Tokens that are refused, by what is wrong with each. */
  private static Map<String, String> refused(OidcProvider issuer, OwnIssuer own, OwnIssuer away)
      throws Exception {
    RSAKey key = own.publish("first");
    Date soon = Date.from(Instant.now().plusSeconds(300));
    Date before = Date.from(Instant.now().minusSeconds(300));
    JWTClaimsSet.Builder claims =
        new JWTClaimsSet.Builder().issuer(own.url()).audience("jarvis").subject("ann");
    String valid = issuer.signIn("ann", "jarvis");
    String[] parts = valid.split("\\.", -1);
    Map<String, String> tokens = new LinkedHashMap<>();
    tokens.put("of nobody", issuer.signIn("stranger", "jarvis"));
    tokens.put("of an impossible id", issuer.signIn("an,n", "jarvis"));
    tokens.put("for another service", issuer.signIn("ann", "other"));
    tokens.put(
        "the claims of another user",
        parts[0] + "." + changed(parts[1], "\"ann\"", "\"root\"") + "." + parts[2]);
    tokens.put(
        "a later expiry",
        parts[0]
            + "."
            + changed(parts[1], "\"exp\": ?\\d+", "\"exp\":99999999999")
            + "."
            + parts[2]);
    tokens.put("the signature of another", own(key, claims, soon).replaceAll("[^.]+$", parts[2]));
    tokens.put("without its signature", parts[0] + "." + parts[1] + ".");
    tokens.put("unsigned", base64("{\"alg\":\"none\"}") + "." + parts[1] + ".");
    tokens.put("cut", valid.substring(0, valid.length() - 30));
    tokens.put("without its header", "." + parts[1] + "." + parts[2]);
    tokens.put(
        "claims that are no JSON", parts[0] + "." + parts[1].substring(0, 60) + "." + parts[2]);
    tokens.put(
        "a header that is no JSON", parts[0].substring(0, 30) + "." + parts[1] + "." + parts[2]);
    tokens.put("expired", own(key, claims, before));
    tokens.put("of an unknown key", own(OwnIssuer.key("second"), claims, soon));
    tokens.put(
        "by another algorithm",
        OwnIssuer.sign(key, JWSAlgorithm.PS512, JOSEObjectType.JWT, claims.build()));
    tokens.put(
        "of another type",
        OwnIssuer.sign(key, JWSAlgorithm.RS256, new JOSEObjectType("logout+jwt"), claims.build()));
    tokens.put("of another issuer", own(key, claims.issuer("http://elsewhere"), soon));
    tokens.put("of an issuer that is away", own(key, claims.issuer(away.url()), soon));
    return tokens;
  }

  private static String own(RSAKey key, JWTClaimsSet.Builder claims, Date expiry) throws Exception {
    return OwnIssuer.sign(key, claims.expirationTime(expiry).build());
  }

  private static String changed(String part, String pattern, String replacement) {
    String json = new String(Base64.getUrlDecoder().decode(part), UTF_8);
    assertThat(json).containsPattern(pattern);
    return base64(json.replaceAll(pattern, replacement));
  }

  private static String base64(String json) {
    return Base64.getUrlEncoder().withoutPadding().encodeToString(json.getBytes(UTF_8));
  }

  /** Everything that is written about a client: calls, files, changes by an administrator. */
  private static void use(TestService service, Traces traces, Map<String, String> tokens) {
    String body =
        "{\"model\":\"fake:1b\",\"user\":\"end\",\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}";
    tokens.forEach(
        (user, token) -> {
          String[] headers = {"Authorization", "Bearer " + token};
          for (HttpResponse<String> response :
              List.of(
                  service.chat(body, headers),
                  service.upload("a.txt", "text".getBytes(UTF_8), "user_data", headers),
                  service.get("/v1/models?access_token=" + token, headers),
                  service.get("/v1/models", "Authorization", "bearer " + token))) {
            assertThat(traces.answered(response).statusCode()).isEqualTo(200);
          }
          int made =
              traces
                  .answered(service.post("/v1/admin/users", "{\"id\":\"new\"}", headers))
                  .statusCode();
          assertThat(made).isEqualTo(user.equals("root") ? 200 : 403);
        });
  }

  private static void refuse(TestService service, Traces traces, String what, String token) {
    for (HttpResponse<String> response :
        List.of(
            service.get("/v1/models", "Authorization", "Bearer " + token),
            service.chat("{}", "Authorization", "Bearer " + token))) {
      // 503 also for an unknown key, if the issuer was asked twice just now
      assertThat(traces.answered(response).statusCode()).as(what).isIn(401, 503);
    }
  }

  /** Requests that the server refuses before it knows that there is a token. */
  private static void malformed(TestService service, Traces traces, String token) throws Exception {
    for (String header :
        new String[] {
          "Authorization: Bearer %s\u0001",
          "Authorization : Bearer %s",
          "Authorization: Bearer\n%s",
          "Content-Length: %s",
          "Authorization: Bearer %s" + "x".repeat(64 << 10),
          "Authorization: Basic %s",
          "Authorization: %s"
        }) {
      try (RawConnection connection = new RawConnection(service)) {
        connection.send(
            "GET /v1/models HTTP/1.1\r\nHost: x\r\nConnection: close\r\n%s\r\n\r\n"
                .formatted(header.formatted(token)));
        String answer = connection.readUntil("\"error\"") + connection.readUntil("}}");
        assertThat(answer).doesNotStartWith("HTTP/1.1 200");
        traces.answered(answer);
      }
    }
  }
}
