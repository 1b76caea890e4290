package dev.jarvis.admin;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.AppenderBase;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jarvis.TestService;
import dev.jarvis.identity.ApiKey;
import dev.jarvis.storage.Recorded;
import java.util.Base64;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

/**
 * Every action of an administrator is in the audit log, the log and the metrics, without secrets.
 */
class AdminAuditTest {
  /**
   * A request for every endpoint that writes, on fresh objects; ID stands for the object, {@code
   * user}, {@code team}, {@code key} or {@code budget} by the action's name.
   */
  private static final Map<String, String> REQUESTS =
      Map.ofEntries(
          Map.entry("POST /v1/admin/users", "user.create {\"id\":\"new\",\"name\":\"New\"}"),
          Map.entry("PATCH /v1/admin/users/{id}", "user.update {\"name\":\"Changed\"}"),
          Map.entry("POST /v1/admin/users/{id}/block", "user.block"),
          Map.entry("POST /v1/admin/users/{id}/unblock", "user.unblock"),
          Map.entry("DELETE /v1/admin/users/{id}", "user.delete"),
          Map.entry("GET /v1/admin/users/{id}/export", "user.export"),
          Map.entry("POST /v1/admin/teams", "team.create {\"id\":\"new\"}"),
          Map.entry(
              "PATCH /v1/admin/teams/{id}", "team.update {\"limits\":{\"parallel_calls\":2}}"),
          Map.entry("POST /v1/admin/teams/{id}/block", "team.block"),
          Map.entry("POST /v1/admin/teams/{id}/unblock", "team.unblock"),
          Map.entry("DELETE /v1/admin/teams/{id}", "team.delete"),
          Map.entry("POST /v1/admin/keys", "key.create {\"user_id\":\"owner\"}"),
          Map.entry("PATCH /v1/admin/keys/{id}", "key.update {\"models\":[\"gpt-*\"]}"),
          Map.entry("POST /v1/admin/keys/{id}/rotate", "key.rotate {}"),
          Map.entry("POST /v1/admin/keys/{id}/revoke", "key.revoke"),
          Map.entry("DELETE /v1/admin/keys/{id}", "key.delete"),
          Map.entry(
              "POST /v1/admin/budgets",
              "budget.create {\"scope\":\"user\",\"scope_id\":\"owner\",\"period\":\"none\",\"limit_usd\":1}"),
          Map.entry("PATCH /v1/admin/budgets/{id}", "budget.update {\"hard\":false}"),
          Map.entry("DELETE /v1/admin/budgets/{id}", "budget.delete"),
          Map.entry(
              "POST /v1/admin/prices/import",
              "price.import {\"m\":{\"litellm_provider\":\"x\",\"mode\":\"chat\",\"input_cost_per_token\":1e-6}}"));

  private static final List<ILoggingEvent> LINES = new CopyOnWriteArrayList<>();
  private static final AppenderBase<ILoggingEvent> APPENDER =
      new AppenderBase<>() {
        @Override
        protected void append(ILoggingEvent event) {
          LINES.add(event);
        }
      };

  private static TestService service;
  private static AdminClient admin;

  @BeforeAll
  static void start() throws Exception {
    service = TestService.start(Map.of());
    admin = new AdminClient(service);
    admin.configured("admin", "admin");
    admin.userWithKey("owner");
    root().addAppender(APPENDER);
    APPENDER.start();
  }

  @AfterAll
  static void stop() {
    root().detachAppender(APPENDER);
    service.close();
  }

  private static Logger root() {
    return (Logger) LoggerFactory.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME);
  }

  @Test
  void everyEndpointThatWritesLeavesOneEntryWithTheStatesBeforeAndAfter() {
    Set<String> writing = new TreeSet<>();
    service
        .routes()
        .templates()
        .forEach(
            (template, methods) ->
                methods.stream()
                    .filter(it -> template.startsWith("/v1/admin/"))
                    .filter(it -> !it.equals("GET") || template.endsWith("/export"))
                    .forEach(it -> writing.add(it + " " + template)));
    assertThat(writing).isEqualTo(new TreeSet<>(REQUESTS.keySet()));

    REQUESTS.forEach(AdminAuditTest::check);

    Set<String> actions = new HashSet<>();
    for (Action action : Action.values()) {
      actions.add(action.id());
      assertThat(service.metric("admin_actions_total{action=\"%s\"}".formatted(action.id())))
          .as(action.id())
          .isPositive();
    }
    assertThat(REQUESTS.values()).allMatch(it -> actions.contains(it.split(" ", 2)[0]));
  }

  private static void check(String endpoint, String case_) {
    String action = case_.split(" ", 2)[0];
    String body = case_.contains(" ") ? case_.split(" ", 2)[1] : "";
    if (action.equals("price.import")) {
      checkImport(body);
      return;
    }
    String type = action.substring(0, action.indexOf('.'));
    String id = action.endsWith("create") ? "" : fresh(type, action.replace('.', '-'));
    String path = "/v1/admin/%ss/%s".formatted(type, id);
    JsonNode before = id.isEmpty() ? null : state(path);
    int entries = entries();

    JsonNode answer =
        action.equals("user.export")
            ? exported(path)
            : admin.call("%s %s".formatted(endpoint.replace("{id}", id), body).strip());

    assertThat(entries()).as(endpoint).isEqualTo(entries + 1);
    JsonNode entry = admin.call("GET /v1/admin/audit?limit=1").at("/data/0");
    String target = id.isEmpty() ? answer.path("id").asText() : id;
    if (action.equals("user.delete")) { // a worker may have replaced the id already
      assertThat(entry.path("action").asText()).isEqualTo(action);
      assertThat(entry.path("target_id").asText()).matches("user-delete|erased-[0-9a-f]{32}");
      assertThat(entry.at("/before/state").asText()).isEqualTo("active");
      assertThat(entry.at("/after/state").asText()).isEqualTo("erasing");
      return;
    }
    assertThat(entry.path("action").asText()).isEqualTo(action);
    assertThat(entry.path("actor").asText()).isEqualTo("admin");
    assertThat(entry.path("actor_key").asText()).isEqualTo("config:admin");
    assertThat(entry.path("address").asText()).isEqualTo("127.0.0.1");
    assertThat(entry.path("request_id").asText()).isNotEmpty();
    assertThat(entry.path("target_type").asText()).isEqualTo(type);
    assertThat(entry.path("target_id").asText()).isEqualTo(target);
    boolean changes = !action.equals("user.export");
    boolean gone = action.endsWith("delete");
    assertThat(entry.path("before").isNull()).as(endpoint).isEqualTo(before == null || !changes);
    assertThat(entry.path("after").isNull()).as(endpoint).isEqualTo(gone || !changes);
    if (before != null && changes) {
      assertThat(entry.path("before")).isEqualTo(before);
    }
    if (!gone && changes) {
      assertThat(entry.path("after")).isEqualTo(state("/v1/admin/%ss/%s".formatted(type, target)));
    }
    assertThat(LINES)
        .filteredOn(it -> it.getMessage().equals("admin_action"))
        .last()
        .satisfies(
            line ->
                assertThat(line.getKeyValuePairs().toString())
                    .contains(action, target, "actor=", "127.0.0.1"));
  }

  /** An import adds many prices, and has one entry, with their number. */
  private static void checkImport(String file) {
    int entries = entries();

    JsonNode answer =
        admin.call(
            "POST /v1/admin/prices/import?providers=x:ollama&dry_run=false %s".formatted(file));

    assertThat(entries()).isEqualTo(entries + 1);
    JsonNode entry = admin.call("GET /v1/admin/audit?limit=1&action=price.import").at("/data/0");
    assertThat(entry.path("target_type").asText()).isEqualTo("price");
    assertThat(entry.path("target_id")).isEqualTo(answer.path("id"));
    assertThat(entry.path("before").isNull()).isTrue();
    assertThat(entry.at("/after/added").asInt()).isEqualTo(1);
    assertThat(entry.at("/after/providers/x").asText()).isEqualTo("ollama");
  }

  /** An object without what changes by itself. */
  private static JsonNode state(String path) {
    ObjectNode object = (ObjectNode) admin.call("GET " + path);
    object.remove("use");
    return object;
  }

  private static JsonNode exported(String path) {
    assertThat(admin.send("GET %s/export".formatted(path)).statusCode()).isEqualTo(200);
    return TestService.json("{}");
  }

  private static int entries() {
    return admin.rows("SELECT id FROM admin_audit").size();
  }

  /** Creates an object and returns its id. */
  private static String fresh(String type, String id) {
    String body =
        switch (type) {
          case "key" -> "{\"user_id\":\"owner\"}";
          case "budget" ->
              "{\"scope\":\"user\",\"scope_id\":\"owner\",\"period\":\"%s\",\"limit_usd\":1}"
                  .formatted(id.endsWith("update") ? "day" : "month");
          default -> "{\"id\":\"%s\"}".formatted(id);
        };
    return admin.call("POST /v1/admin/%ss %s".formatted(type, body)).path("id").asText();
  }

  @Test
  void neitherKeysNorHashesAreInTheAuditLogTheLogTheSpansOrOtherResponses() {
    JsonNode created = admin.userWithKey("secretive");
    String id = created.path("id").asText();
    JsonNode rotated = admin.call("POST /v1/admin/keys/%s/rotate {}".formatted(id));
    admin.call("POST /v1/admin/keys/%s/revoke".formatted(id));
    admin.call("PATCH /v1/admin/keys/%s {\"name\":\"n\"}".formatted(id));
    String shown =
        admin.call("GET /v1/admin/keys?user=secretive").toString()
            + admin.call("GET /v1/admin/keys/" + id)
            + admin.call("GET /v1/admin/audit")
            + admin.call("DELETE /v1/admin/keys/" + id);
    StringBuilder traces = new StringBuilder();
    Recorded.spans().forEach(traces::append);
    StringBuilder lines = new StringBuilder();
    LINES.forEach(
        it -> lines.append(it.getFormattedMessage()).append(it.getKeyValuePairs()).append('\n'));

    assertThat(lines).contains("admin_action", "secretive");
    assertThat(traces).contains("insert_key");
    for (JsonNode key : List.of(created, rotated)) {
      String text = key.path("key").asText();
      byte[] hash = ApiKey.parse(text).orElseThrow().sha256();
      for (String secret :
          List.of(
              text.substring(text.length() - 43),
              HexFormat.of().formatHex(hash),
              Base64.getEncoder().encodeToString(hash))) {
        assertThat(shown).doesNotContain(secret);
        assertThat(traces.toString()).doesNotContain(secret);
        assertThat(lines.toString()).doesNotContain(secret);
        assertThat(admin.rows("SELECT * FROM admin_audit").toString()).doesNotContain(secret);
      }
    }
  }

  @Test
  void entriesAreFiltered() {
    admin.call("POST /v1/admin/teams {\"id\":\"filtered\"}");
    admin.call("POST /v1/admin/teams/filtered/block");

    assertThat(actions("target_type=team&target_id=filtered"))
        .containsExactly("team.block", "team.create");
    assertThat(actions("target_id=filtered&order=asc"))
        .containsExactly("team.create", "team.block");
    assertThat(actions("target_id=filtered&action=team.block")).containsExactly("team.block");
    assertThat(actions("target_id=filtered&actor=admin")).hasSize(2);
    assertThat(actions("target_id=filtered&actor=nobody")).isEmpty();
  }

  private static List<String> actions(String query) {
    return admin
        .call("GET /v1/admin/audit?" + query)
        .path("data")
        .valueStream()
        .map(it -> it.path("action").asText())
        .toList();
  }

  @Test
  void aKeyInClearTextIsNotToBeStored() {
    var response = admin.send("POST /v1/admin/keys {\"user_id\":\"owner\"}");
    assertThat(response.headers().firstValue("Cache-Control")).hasValue("no-store");
    ObjectNode key = (ObjectNode) TestService.json(response.body());
    ApiKey text = ApiKey.parse(key.path("key").asText()).orElseThrow();
    assertThat(text.prefix()).isEqualTo(key.path("prefix").asText());
    assertThat(
            admin.rows(
                "SELECT encode(sha256, 'hex') AS hash FROM api_keys WHERE prefix = '%s'"
                    .formatted(text.prefix())))
        .containsExactly(Map.of("hash", HexFormat.of().formatHex(text.sha256())));
  }
}
