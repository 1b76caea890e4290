package dev.jarvis.admin;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import dev.jarvis.TestService;
import java.net.http.HttpResponse;
import java.sql.Connection;
import java.sql.Statement;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Who counts as an administrator with access, and until when. */
class AdministratorsTest {
  private static final Duration LIMIT = Duration.ofSeconds(60);

  private static TestService service;
  private static AdminClient admin;
  private String[] asBoss;
  private String key;

  @BeforeAll
  static void start() throws Exception {
    service = TestService.start(Map.of());
    admin = new AdminClient(service);
  }

  @AfterAll
  static void stop() {
    service.close();
  }

  /** Beside admin, whose key is in the configuration. */
  @BeforeEach
  void appoint() {
    admin.execute("DELETE FROM users WHERE id IN ('boss', 'deputy')");
    admin.execute("UPDATE users SET role = 'admin', blocked_at = NULL WHERE id = 'admin'");
    await().atMost(LIMIT).until(() -> admin.send("GET /v1/admin/users").statusCode() == 200);
    JsonNode issued = admin.userWithKey("boss");
    admin.call("PATCH /v1/admin/users/boss {\"role\":\"admin\"}");
    key = issued.path("id").asText();
    asBoss = new String[] {"Authorization", "Bearer " + issued.path("key").asText()};
  }

  private HttpResponse<String> asBoss(String request) {
    return admin.send(request.replace("{key}", key), asBoss);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "POST /v1/admin/keys/{key}/revoke",
        "DELETE /v1/admin/keys/{key}",
        "PATCH /v1/admin/keys/{key} {\"permissions\":[\"chat\"]}",
        "PATCH /v1/admin/users/boss {\"role\":\"member\"}"
      })
  void theLastAdministratorKeepsAKey(String request) {
    admin.call("POST /v1/admin/users {\"id\":\"deputy\",\"role\":\"admin\"}"); // without a key
    assertThat(asBoss("POST /v1/admin/users/admin/block").statusCode()).isEqualTo(200);

    HttpResponse<String> response = asBoss(request);

    assertThat(response.statusCode()).as(response.body()).isEqualTo(409);
    assertThat(response.body()).contains("last_administrator");
    assertThat(asBoss("POST /v1/admin/keys {\"user_id\":\"deputy\"}").statusCode()).isEqualTo(200);
    assertThat(asBoss(request).statusCode()).as("with a deputy").isEqualTo(200);
  }

  @Test
  void aKeyOfTheConfigurationIsAccess() {
    assertThat(asBoss("DELETE /v1/admin/keys/{key}").statusCode()).isEqualTo(200);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "UPDATE users SET blocked_at = now() WHERE id = 'boss'",
        "UPDATE users SET role = 'member' WHERE id = 'boss'",
        "UPDATE users SET pseudonym = 'erased-2' WHERE id = 'boss'",
        "UPDATE api_keys SET revoked_at = now() WHERE user_id = 'boss'",
        "UPDATE api_keys SET expires_at = now() WHERE user_id = 'boss'",
        "UPDATE api_keys SET permissions = '{chat}' WHERE user_id = 'boss'",
        "DELETE FROM api_keys WHERE user_id = 'boss'",
        "DELETE FROM users WHERE id = 'boss'"
      })
  void aChangeThatWaitedIsRefusedIfAccessHasEndedMeanwhile(String end) throws Exception {
    CompletableFuture<HttpResponse<String>> change;
    try (Connection blocker = service.database().connect();
        Statement statement = blocker.createStatement()) {
      blocker.setAutoCommit(false);
      statement.execute("SELECT 1 FROM identity_version FOR UPDATE");
      change =
          CompletableFuture.supplyAsync(
              () -> asBoss("POST /v1/admin/users {\"id\":\"deputy\",\"role\":\"admin\"}"));
      await()
          .atMost(LIMIT)
          .until(
              () ->
                  !admin
                      .rows(
                          "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'")
                      .isEmpty());
      statement.execute(end);
      blocker.commit();
    }

    assertThat(change.join().statusCode()).as(change.join().body()).isEqualTo(403);
    assertThat(change.join().body()).contains("has just ended; nothing was changed");
    assertThat(admin.rows("SELECT id FROM users WHERE id = 'deputy'")).isEmpty();
  }
}
