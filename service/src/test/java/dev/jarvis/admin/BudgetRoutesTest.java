package dev.jarvis.admin;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.jarvis.TestService;
import java.time.LocalDate;
import java.time.ZoneId;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What administrators do with budgets; what they may not is in admin-refusals.txt. */
@Timeout(90)
class BudgetRoutesTest {
  private static final ZoneId ZONE = ZoneId.of("Pacific/Auckland");
  private static TestService service;
  private static AdminClient admin;

  @BeforeAll
  static void start() throws Exception {
    service = TestService.start(Map.of("JARVIS_BUDGETS_ZONE", ZONE.getId()));
    admin = new AdminClient(service);
    admin.configured("admin", "admin");
  }

  @AfterAll
  static void stop() {
    service.close();
  }

  private static JsonNode create(String scope, String id, String period, String limit) {
    return admin.call(
        "POST /v1/admin/budgets {\"scope\":\"%s\"%s,\"period\":\"%s\",\"limit_usd\":%s}"
            .formatted(
                scope, id.isEmpty() ? "" : ",\"scope_id\":\"%s\"".formatted(id), period, limit));
  }

  private static void delete(JsonNode budget) {
    admin.call("DELETE /v1/admin/budgets/" + budget.path("id").asText());
  }

  private static List<Map<String, String>> rows(String id) {
    return admin.rows("SELECT * FROM budgets WHERE scope_id = '%s' ORDER BY id".formatted(id));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "12.5 | 12.50",
        "\"12.50\" | 12.50",
        "\"0.1\" | 0.10",
        "0.1 | 0.10",
        "1 | 1.00",
        "1e2 | 100.00",
        "\"0.000000001\" | 0.000000001",
        "1e-9 | 0.000000001",
        "\"8999999.999999999\" | 8999999.999999999",
        "8999999.99999999 | 8999999.99999999",
        "\"1234567.123456789\" | 1234567.123456789",
      })
  void limitsAreExact(String sent, String told) {
    JsonNode budget = create("all", "", "none", sent);
    try {
      assertThat(budget.path("limit_usd").asText()).isEqualTo(told);
      assertThat(
              admin.rows("SELECT 1 AS n FROM budgets WHERE scope = 'all' AND limit_usd = " + told))
          .hasSize(1);
    } finally {
      delete(budget);
    }
  }

  @Test
  void aBudgetIsHardUnlessSaidOtherwiseAndChangesKeepWhatTheyDoNotName() {
    admin.call("POST /v1/admin/teams {\"id\":\"changing\"}");
    JsonNode budget = create("team", "changing", "month", "5");
    String path = "/v1/admin/budgets/" + budget.path("id").asText();

    assertThat(budget.path("hard").asBoolean()).isTrue();
    JsonNode soft = admin.call("PATCH %s {\"hard\":false}".formatted(path));
    assertThat(soft.path("hard").asBoolean()).isFalse();
    assertThat(soft.path("limit_usd").asText()).isEqualTo("5.00");
    JsonNode raised = admin.call("PATCH %s {\"limit_usd\":\"7.25\"}".formatted(path));
    assertThat(raised.path("hard").asBoolean()).isFalse();
    assertThat(raised.path("limit_usd").asText()).isEqualTo("7.25");
    assertThat(raised.path("scope_id").asText()).isEqualTo("changing");
    assertThat(admin.call("DELETE " + path).path("deleted").asBoolean()).isTrue();
    assertThat(admin.send("GET " + path).statusCode()).isEqualTo(404);
  }

  @Test
  void everyChangeMakesReplicasReadTheBudgetsAgain() {
    admin.call("POST /v1/admin/teams {\"id\":\"watched\"}");
    List<String> versions = new ArrayList<>(List.of(version()));
    JsonNode budget = create("team", "watched", "day", "5");
    versions.add(version());
    admin.call("PATCH /v1/admin/budgets/%s {\"hard\":false}".formatted(budget.path("id").asText()));
    versions.add(version());
    delete(budget);
    versions.add(version());

    assertThat(versions).doesNotHaveDuplicates();
  }

  private static String version() {
    return String.valueOf(
        admin.rows("SELECT version FROM identity_version").getFirst().get("version"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"day", "month", "none"})
  void showsTheUseOfTheCurrentPeriodAndWhenItRenews(String period) {
    String team = "used-" + period;
    admin.call("POST /v1/admin/teams {\"id\":\"%s\"}".formatted(team));
    LocalDate today = LocalDate.now(ZONE);
    LocalDate month = today.withDayOfMonth(1);
    use(team, today, "0.1000000001");
    use(team, month.minusDays(1), "1000");
    use("another", today, "500");
    if (!today.equals(month)) {
      use(team, month, "20");
    }
    JsonNode budget = create("team", team, period, "5000");

    JsonNode use = admin.call("GET /v1/admin/budgets/" + budget.path("id").asText()).path("use");

    boolean firstDay = today.equals(month);
    assertThat(use.path("used_usd").asText())
        .as("rounded up to a billionth")
        .isEqualTo(
            switch (period) {
              case "day" -> "0.100000001";
              case "month" -> firstDay ? "0.100000001" : "20.100000001";
              default -> firstDay ? "1000.100000001" : "1020.100000001";
            });
    if (period.equals("none")) {
      assertThat(use.path("since").isNull()).isTrue();
      assertThat(use.path("renews_at").isNull()).isTrue();
    } else {
      LocalDate first = period.equals("day") ? today : month;
      LocalDate next = period.equals("day") ? today.plusDays(1) : month.plusMonths(1);
      assertThat(use.path("since").asLong()).isEqualTo(first.atStartOfDay(ZONE).toEpochSecond());
      assertThat(use.path("renews_at").asLong()).isEqualTo(next.atStartOfDay(ZONE).toEpochSecond());
    }
  }

  private static void use(String team, LocalDate day, String usd) {
    admin.execute(
        "INSERT INTO ledger_totals (scope, scope_id, day, calls, input_tokens, output_tokens, cost_usd) VALUES ('team', '%s', '%s', 1, 1, 1, %s) ON CONFLICT (scope, scope_id, day) DO UPDATE SET cost_usd = excluded.cost_usd"
            .formatted(team, day, usd));
  }

  @Test
  void listsByTimeInPagesAndByScope() {
    admin.call("POST /v1/admin/teams {\"id\":\"listed\"}");
    List<String> ids = new ArrayList<>();
    for (String period : List.of("day", "month", "none")) {
      ids.add(create("team", "listed", period, "1").path("id").asText());
    }
    String path = "GET /v1/admin/budgets?scope=team&scope_id=listed&order=asc&limit=2";

    JsonNode first = admin.call(path);
    JsonNode second = admin.call(path + "&after=" + first.path("last_id").asText());

    assertThat(first.path("data").findValuesAsText("id")).isEqualTo(ids.subList(0, 2));
    assertThat(first.path("has_more").asBoolean()).isTrue();
    assertThat(second.path("data").findValuesAsText("id")).isEqualTo(ids.subList(2, 3));
    assertThat(second.path("has_more").asBoolean()).isFalse();
    assertThat(
            admin
                .call("GET /v1/admin/budgets?scope=team&scope_id=listed")
                .path("data")
                .findValuesAsText("id"))
        .isEqualTo(ids.reversed());
    assertThat(admin.call("GET /v1/admin/budgets?scope=key&scope_id=listed").path("data"))
        .isEmpty();
  }

  @Test
  void budgetsGoWithTheirTeam() {
    admin.call("POST /v1/admin/teams {\"id\":\"ending\"}");
    create("team", "ending", "day", "1");
    create("team", "ending", "none", "1");

    admin.call("DELETE /v1/admin/teams/ending");

    assertThat(rows("ending")).isEmpty();
  }

  @Test
  void budgetsGoWithTheirUserAndTheKeysOfTheUser() {
    String key = admin.userWithKey("leaving").path("id").asText();
    String other = admin.userWithKey("staying").path("id").asText();
    create("user", "leaving", "day", "1");
    create("key", key, "day", "1");
    create("user", "staying", "day", "1");
    create("key", other, "day", "1");

    assertThat(admin.send("DELETE /v1/admin/users/leaving").statusCode()).isEqualTo(202);

    assertThat(rows("leaving")).isEmpty();
    assertThat(rows(key)).isEmpty();
    assertThat(rows("staying")).hasSize(1);
    assertThat(rows(other)).hasSize(1);
  }

  @Test
  void budgetsGoWithTheirKeyAndStayWhenItIsRevoked() {
    String key = admin.userWithKey("rotator").path("id").asText();
    create("key", key, "month", "3.5");

    JsonNode rotated = admin.call("POST /v1/admin/keys/%s/rotate {}".formatted(key));

    String next = rotated.path("id").asText();
    assertThat(rows(next)).as("the key that replaces it").hasSize(1);
    assertThat(rows(next).getFirst())
        .containsEntry("period", "month")
        .containsEntry("limit_usd", "3.500000000000")
        .containsEntry("hard", "t");
    admin.call("POST /v1/admin/keys/%s/revoke".formatted(key));
    assertThat(rows(key)).hasSize(1);
    admin.call("DELETE /v1/admin/keys/" + key);
    assertThat(rows(key)).isEmpty();
    assertThat(rows(next)).hasSize(1);
  }
}
