package dev.jarvis.admin;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import dev.jarvis.TestService;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Imported prices: what they change, that they change nothing else, and who sees them. */
@Timeout(90)
class PriceImportTest {
  private static final Duration LIMIT = Duration.ofSeconds(20);
  private static TestService service;
  private static AdminClient admin;

  @BeforeAll
  static void start() throws Exception {
    service =
        TestService.startWith(
                """
                prices:
                  - {provider: ollama, model: "fake:1b", from: "2026-01-01", input: 1, output: 2}
                """)
            .awaitModel("fake:1b");
    admin = new AdminClient(service);
    admin.configured("admin", "admin");
  }

  @AfterAll
  static void stop() {
    service.close();
  }

  private static String entry(String model, String input) {
    return "\"%s\":{\"litellm_provider\":\"x\",\"mode\":\"chat\",\"input_cost_per_token\":%s,\"output_cost_per_token\":0}"
        .formatted(model, input);
  }

  private static JsonNode post(String query, String... entries) {
    return admin.call(
        "POST /v1/admin/prices/import?providers=x:ollama%s {%s}"
            .formatted(query, String.join(",", entries)));
  }

  private static List<String> added(JsonNode answer) {
    return answer.path("added").findValuesAsText("model");
  }

  private static List<Map<String, String>> rows() {
    return admin.rows("SELECT * FROM prices ORDER BY id");
  }

  /**
   * The cost of an input token by the ledger, in millionths of a dollar, of a new call; NaN as long
   * as the replica knows no price.
   */
  private static double perToken(TestService replica) throws SQLException {
    String id = "priced-" + System.nanoTime();
    String question =
        "{\"model\":\"fake:1b\",\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}";
    assertThat(replica.chat(question, "x-request-id", id).statusCode()).isEqualTo(200);
    return perToken(id);
  }

  private static double perToken(String requestId) throws SQLException {
    String query =
        "SELECT cost_usd, input_tokens FROM ledger_entries WHERE request_id = '%s'"
            .formatted(requestId);
    await().atMost(LIMIT).until(() -> service.database().rows(query).size() == 1);
    Map<String, String> row = service.database().rows(query).getFirst();
    return Double.parseDouble(row.getOrDefault("cost_usd", "NaN"))
        * 1e6
        / Integer.parseInt(row.get("input_tokens"));
  }

  @Test
  void isOnlyTriedUnlessSaidOtherwise() {
    int before = rows().size();
    int actions = admin.rows("SELECT id FROM admin_audit").size();

    for (String query : List.of("", "&dry_run=true")) {
      JsonNode answer = post(query, entry("tried", "1e-6"));
      assertThat(answer.path("dry_run").asBoolean()).isTrue();
      assertThat(answer.path("id").isNull()).isTrue();
      assertThat(added(answer)).containsExactly("tried");
    }

    assertThat(rows()).hasSize(before);
    assertThat(admin.rows("SELECT id FROM admin_audit")).hasSize(actions);
  }

  @Test
  void addsWhatDiffersAndTellsWhatItDoesNotTake() {
    long start = Instant.now().getEpochSecond();
    JsonNode first =
        post("&dry_run=false", entry("same", "1e-6"), entry("dearer", "1e-6"), entry("x/p", "0"));
    long later = first.path("from").asLong() + 1;
    JsonNode second =
        post(
            "&dry_run=false&from=" + later,
            entry("same", "0.000001"),
            entry("dearer", "2e-6"),
            entry("new", "3e-6"),
            entry("new2", "null").replace("chat", "rerank"),
            "\"y\":{\"litellm_provider\":\"y\"}");

    assertThat(first.path("from").asLong()).isBetween(start, start + 60);
    assertThat(added(first)).containsExactly("same", "dearer", "p");
    assertThat(added(second)).containsExactly("dearer", "new");
    assertThat(second.path("unchanged"))
        .extracting(JsonNode::asText)
        .containsExactly("ollama/same");
    assertThat(second.at("/skipped/0/entry").asText()).isEqualTo("new2");
    assertThat(second.at("/skipped/0/reason").asText()).startsWith("its mode is 'rerank'");
    assertThat(second.at("/other_providers/y").asInt()).isEqualTo(1);
    JsonNode listed =
        admin.call("GET /v1/admin/prices?provider=ollama&model=dearer&limit=1").at("/data/0");
    assertThat(listed.path("from").asLong()).isEqualTo(later);
    assertThat(listed.at("/tokens/input").decimalValue()).isEqualByComparingTo("2");
    assertThat(listed.path("version").asText()).matches("ollama/dearer@\\S+Z#litellm-[0-9a-f]{8}");
    assertThat(listed.path("import_id")).isEqualTo(second.path("id"));
    JsonNode next =
        admin
            .call(
                "GET /v1/admin/prices?provider=ollama&model=dearer&after="
                    + listed.path("id").asText())
            .path("data");
    assertThat(next).hasSize(1);
    assertThat(next.at("/0/tokens/input").decimalValue()).isEqualByComparingTo("1");
  }

  @Test
  void anotherPriceFromTheSameTimeIsALaterRevisionThatCounts() {
    long from = Instant.now().getEpochSecond() + 1_000_000;
    for (String input : List.of("1e-6", "5e-6", "5e-6", "3e-6")) {
      post("&dry_run=false&from=" + from, entry("revised", input));
    }

    JsonNode listed = admin.call("GET /v1/admin/prices?model=revised").path("data");
    assertThat(listed).extracting(it -> it.path("revision").asInt()).containsExactly(3, 2, 1);
    assertThat(listed.at("/0/tokens/input").decimalValue()).isEqualByComparingTo("3");
  }

  @Test
  void everyReplicaPricesNewCallsByItAndEarlierCostsStay() throws Exception {
    try (TestService running = service.replica(Map.of())) {
      running.awaitModel("fake:1b");
      assertThat(perToken(service)).isNotEqualTo(1000);
      String costs = "SELECT id, cost_usd FROM ledger_entries ORDER BY id";
      List<Map<String, String>> before = admin.rows(costs);

      assertThat(added(post("&dry_run=false", entry("fake:1b", "0.001")))).hasSize(1);

      try (TestService later = service.replica(Map.of())) {
        later.awaitModel("fake:1b");
        for (TestService replica : List.of(service, running, later)) {
          await().atMost(LIMIT).until(() -> perToken(replica) == 1000);
        }
      }
      assertThat(admin.rows(costs)).containsAll(before);
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "UPDATE prices SET input = 0 WHERE model = 'kept'",
        "UPDATE prices SET valid_from = now() + interval '1 year' WHERE model = 'kept'",
        "DELETE FROM prices WHERE model = 'kept'",
        "TRUNCATE prices",
        "INSERT INTO prices (id, provider, model, valid_from, revision, tiers, source, import_id) VALUES (gen_random_uuid(), 'ollama', 'kept', now() - interval '1 second', 1, '[]', 'litellm', gen_random_uuid())",
      })
  void theDatabaseLetsNobodyChangeThePast(String statement) {
    if (admin.call("GET /v1/admin/prices?model=kept").path("data").isEmpty()) {
      post("&dry_run=false", entry("kept", "1e-6"));
    }
    List<Map<String, String>> before = rows();

    assertThatThrownBy(() -> service.database().execute(statement))
        .isInstanceOf(SQLException.class)
        .hasMessageFindingMatch("prices are never changed or deleted|cannot begin in the past");

    assertThat(rows()).isEqualTo(before);
  }
}
