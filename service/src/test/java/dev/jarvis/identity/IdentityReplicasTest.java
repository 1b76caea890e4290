package dev.jarvis.identity;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.jarvis.TestService;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Two replicas on one database: what is changed in the rows acts on both. */
class IdentityReplicasTest {
  private static final Duration LIMIT = Duration.ofSeconds(10);
  private static final Map<String, String> SETTINGS =
      Map.of("JARVIS_API_KEYS", TestService.apiKeys("eve", "key-of-eve"));

  private static TestService one;
  private static TestService two;

  @BeforeAll
  static void start() throws Exception {
    one = TestService.start(SETTINGS);
    two = one.replica(SETTINGS);
  }

  @AfterAll
  static void stop() {
    two.close();
    one.close();
  }

  private static HttpResponse<String> models(TestService service, String key) {
    return service.get("/v1/models", "Authorization", "Bearer " + key);
  }

  private static void assertOnBoth(String key, int status, String code) {
    for (TestService service : List.of(one, two)) {
      await()
          .atMost(LIMIT)
          .untilAsserted(
              () -> {
                HttpResponse<String> response = models(service, key);
                assertThat(response.statusCode()).isEqualTo(status);
                assertThat(TestService.json(response.body()).at("/error/code").asText(""))
                    .isEqualTo(code);
              });
    }
  }

  @ParameterizedTest
  @CsvSource(delimiter = '|', textBlock = IdentityChanges.REFUSED)
  void aKeyThatWorkedIsRefusedByBoth(String change, int status, String code) throws Exception {
    String user = "user-" + Integer.toHexString(change.hashCode());
    ApiKey key = IdentityChanges.add(one.database(), user);
    assertOnBoth(key.text(), 200, "");

    IdentityChanges.make(one.database(), change, key, user);

    assertOnBoth(key.text(), status, code);
  }

  @Test
  void aKeyThatWasUnknownWorksOnBothOnceItIsThere() throws Exception {
    ApiKey key = TestKeys.add(one.database(), "new");
    one.database()
        .execute(
            "CREATE TABLE kept AS SELECT * FROM api_keys WHERE prefix = '%s'"
                .formatted(key.prefix()));
    one.database().execute("DELETE FROM api_keys WHERE prefix = '%s'".formatted(key.prefix()));
    assertOnBoth(key.text(), 401, "invalid_api_key");

    one.database().execute("INSERT INTO api_keys SELECT * FROM kept");

    assertOnBoth(key.text(), 200, "");
  }

  @Test
  void aConfiguredUserIsBlockedAndPromotedLikeAnyOther() throws Exception {
    assertThat(one.database().rows("SELECT role FROM users WHERE id = 'eve'"))
        .containsExactly(Map.of("role", "member"));
    assertOnBoth("key-of-eve", 200, "");

    one.database().execute("UPDATE users SET blocked_at = now() WHERE id = 'eve'");
    assertOnBoth("key-of-eve", 403, "user_blocked");
    one.database().execute("UPDATE users SET blocked_at = NULL, role = 'admin' WHERE id = 'eve'");
    assertOnBoth("key-of-eve", 200, "");

    for (TestService service : List.of(one, two)) {
      await()
          .atMost(LIMIT)
          .until(
              () ->
                  service
                          .get("/health/providers", "Authorization", "Bearer key-of-eve")
                          .statusCode()
                      == 200);
    }
  }

  @Test
  void guessesOfOneAddressLeaveOthersAndKnownKeysAlone() throws Exception {
    Map<String, String> settings =
        Map.of(
            "JARVIS_SERVER_TRUSTED_PROXIES", "127.0.0.1",
            "JARVIS_IDENTITY_MAX_FAILURES_PER_MINUTE", "20");
    ApiKey known = TestKeys.add(one.database(), "known");
    ApiKey fresh = TestKeys.add(one.database(), "fresh");
    try (TestService service = one.replica(settings)) {
      String[] attacker = {"X-Forwarded-For", "6.6.6.6, 198.51.100.9"};
      assertThat(get(service, known.text(), attacker).statusCode()).isEqualTo(200);
      List<Integer> statuses = new ArrayList<>();
      for (int i = 0; i < 25; i++) {
        statuses.add(get(service, ApiKey.generate().text(), attacker).statusCode());
      }
      assertThat(statuses.subList(0, 20)).containsOnly(401);
      assertThat(statuses).endsWith(429);

      HttpResponse<String> refused = get(service, fresh.text(), attacker);
      assertThat(refused.statusCode()).isEqualTo(429);
      assertThat(TestService.json(refused.body()).at("/error/code").asText())
          .isEqualTo("too_many_failures");
      assertThat(Integer.parseInt(refused.headers().firstValue("retry-after").orElseThrow()))
          .isBetween(1, 3);
      assertThat(get(service, known.text(), attacker).statusCode()).isEqualTo(200);
      assertThat(get(service, TestService.KEY, attacker).statusCode()).isEqualTo(200);
      // the first address is a claim of the client
      assertThat(
              get(service, fresh.text(), "X-Forwarded-For", "198.51.100.9, 203.0.113.5")
                  .statusCode())
          .isEqualTo(200);
    }
  }

  @Test
  void aHeaderOfAClientThatIsNoTrustedProxyIsNotBelieved() throws Exception {
    try (TestService service =
        one.replica(Map.of("JARVIS_IDENTITY_MAX_FAILURES_PER_MINUTE", "2"))) {
      for (int i = 0; i < 2; i++) {
        String claimed = "198.51.100." + i;
        assertThat(get(service, "guess", "X-Forwarded-For", claimed).statusCode()).isEqualTo(401);
      }
      assertThat(get(service, "guess", "X-Forwarded-For", "198.51.100.77").statusCode())
          .isEqualTo(429);
    }
  }

  private static HttpResponse<String> get(TestService service, String key, String... headers) {
    List<String> all = new ArrayList<>(List.of("Authorization", "Bearer " + key));
    all.addAll(List.of(headers));
    return service.get("/v1/models", all.toArray(String[]::new));
  }
}
