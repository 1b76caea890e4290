package dev.jarvis.admin;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.jarvis.TestService;
import java.net.http.HttpResponse;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvFileSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What the API of administrators refuses, with which words, and that it then does nothing. */
class AdminRefusalsTest {
  private static final String MEMBER = "sk-test-key-of-the-member-called-bob";

  private static final Map<String, String> KEYS = new HashMap<>();
  private static TestService service;
  private static AdminClient admin;

  @BeforeAll
  static void start() throws Exception {
    service = TestService.start(Map.of("JARVIS_API_KEYS", TestService.apiKeys("bob", MEMBER)));
    admin = new AdminClient(service);
    admin.configured("admin", "admin");
    admin.configured("bob", "member");
    admin.call("POST /v1/admin/teams {\"id\":\"full\"}");
    admin.call("POST /v1/admin/teams {\"id\":\"blocked\"}");
    admin.call("POST /v1/admin/teams/blocked/block");
    KEYS.put("active", id(admin.userWithKey("alice")));
    admin.call("PATCH /v1/admin/users/alice {\"team_id\":\"full\"}");
    for (String key : new String[] {"revoked", "expired", "replaced"}) {
      KEYS.put(key, id(admin.call("POST /v1/admin/keys {\"user_id\":\"alice\"}")));
    }
    admin.call("POST /v1/admin/keys/%s/revoke".formatted(KEYS.get("revoked")));
    admin.call(
        "POST /v1/admin/keys/%s/rotate {\"grace_seconds\":0}".formatted(KEYS.get("expired")));
    KEYS.put(
        "replacement",
        id(admin.call("POST /v1/admin/keys/%s/rotate {}".formatted(KEYS.get("replaced")))));
    KEYS.put(
        "budget",
        id(
            admin.call(
                "POST /v1/admin/budgets {\"scope\":\"team\",\"scope_id\":\"full\",\"period\":\"day\",\"limit_usd\":1}")));
    admin.execute("INSERT INTO users (id, role, pseudonym) VALUES ('ghost', 'member', 'erased-0')");
  }

  @AfterAll
  static void stop() {
    service.close();
  }

  private static String id(JsonNode object) {
    return object.path("id").asText();
  }

  private static String withKeys(String text) {
    String result = text;
    for (Map.Entry<String, String> key : KEYS.entrySet()) {
      result = result.replace("{%s}".formatted(key.getKey()), key.getValue());
    }
    return result;
  }

  @ParameterizedTest
  @CsvFileSource(resources = "/admin-refusals.txt", delimiter = '|', quoteCharacter = '\0')
  void refusalsNameWhatIsWrongAndChangeNothing(
      String request, int status, String param, String code, String message) {
    String before = state();

    HttpResponse<String> response = admin.send(withKeys(request));

    JsonNode error = TestService.json(response.body()).path("error");
    assertThat(response.statusCode()).as(response.body()).isEqualTo(status);
    assertThat(error.path("message").asText().replace("\0", "\\u0000"))
        .isEqualTo(withKeys(message));
    assertThat(error.path("param").asText(null)).isEqualTo(param);
    assertThat(error.path("code").asText()).isEqualTo(code);
    assertThat(state()).isEqualTo(before);
  }

  private static String state() {
    return "%s %s %s %s %s %s"
        .formatted(
            admin.rows("SELECT * FROM budgets ORDER BY id"),
            admin.rows("SELECT * FROM prices ORDER BY id"),
            admin.rows("SELECT * FROM users WHERE pseudonym IS NULL ORDER BY id"),
            admin.rows("SELECT * FROM teams ORDER BY id"),
            admin.rows("SELECT * FROM api_keys ORDER BY id"),
            admin.rows("SELECT * FROM admin_audit ORDER BY id"));
  }

  @ParameterizedTest
  @ValueSource(strings = {MEMBER, "sk-test-key-of-nobody"})
  void aMemberMayDoNothing(String key) {
    service
        .routes()
        .templates()
        .forEach(
            (template, methods) -> {
              if (!template.startsWith("/v1/admin/")) {
                return;
              }
              for (String method : methods) {
                String request = "%s %s {}".formatted(method, template.replace("{id}", "alice"));
                assertThat(admin.send(request, "Authorization", "Bearer " + key).statusCode())
                    .as(request)
                    .isEqualTo(key.equals(MEMBER) ? 403 : 401);
              }
            });
  }
}
