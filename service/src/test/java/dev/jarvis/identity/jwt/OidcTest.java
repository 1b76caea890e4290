package dev.jarvis.identity.jwt;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.jarvis.TestService;
import java.net.http.HttpResponse;
import java.time.Duration;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Tokens of a real issuer open the API to the users that they stand for. */
class OidcTest {
  private static OidcProvider issuer;
  private static TestService service;

  @BeforeAll
  static void start() throws Exception {
    issuer = OidcProvider.start();
    service =
        TestService.startWith(
            "issuers:\n  company: {issuer: \"%s\", audiences: jarvis}\n".formatted(issuer.url()));
    service.database().execute("INSERT INTO users (id, role) VALUES ('ann', 'member')");
    service.database().execute("INSERT INTO users (id, role) VALUES ('blocked', 'member')");
    service.database().execute("INSERT INTO users (id, role) VALUES ('root', 'admin')");
  }

  @AfterAll
  static void stop() throws Exception {
    service.close();
    issuer.close();
  }

  private static HttpResponse<String> files(String token) {
    return service.get("/v1/files", "Authorization", "Bearer " + token);
  }

  @Test
  void aTokenOpensTheApiToItsUserWithTheUsersRole() throws Exception {
    String ann = issuer.signIn("ann", "jarvis");
    String root = issuer.signIn("root", "jarvis");

    assertThat(files(ann).statusCode()).isEqualTo(200);
    assertThat(service.get("/health/providers", "Authorization", "Bearer " + ann).statusCode())
        .isEqualTo(403);
    assertThat(service.get("/health/providers", "Authorization", "Bearer " + root).statusCode())
        .isEqualTo(200);
  }

  @Test
  void aTokenOfNobodyIsRefused() throws Exception {
    HttpResponse<String> response = files(issuer.signIn("stranger", "jarvis"));

    assertThat(response.statusCode()).isEqualTo(401);
    assertThat(response.body()).contains("stands for no user");
  }

  @Test
  void aTokenForAnotherServiceIsRefused() throws Exception {
    assertThat(files(issuer.signIn("ann", "other")).statusCode()).isEqualTo(401);
  }

  @Test
  void blockingTheUserEndsTheirTokens() throws Exception {
    String token = issuer.signIn("blocked", "jarvis");
    assertThat(files(token).statusCode()).isEqualTo(200);

    service.database().execute("UPDATE users SET blocked_at = now() WHERE id = 'blocked'");

    await().atMost(Duration.ofSeconds(10)).until(() -> files(token).statusCode() == 403);
  }

  @Test
  void anIssuersNewKeyIsFetched() throws Exception {
    String before = issuer.signIn("ann", "jarvis");
    assertThat(files(before).statusCode()).isEqualTo(200);

    issuer.rotateKeys();

    assertThat(files(issuer.signIn("ann", "jarvis")).statusCode()).isEqualTo(200);
    assertThat(files(before).statusCode()).isEqualTo(401);
  }
}
