package dev.jarvis.admin;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import dev.jarvis.TestService;
import java.net.http.HttpResponse;
import java.sql.Connection;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Users, teams and keys through the API, with two replicas. */
class AdminRoutesTest {
  private static final Duration LIMIT = Duration.ofSeconds(60);
  private static final String CAROL = "sk-test-key-of-the-member-called-carol";

  private static TestService service;
  private static TestService replica;
  private static AdminClient admin;
  private static AdminClient other;

  @BeforeAll
  static void start() throws Exception {
    service =
        TestService.start(
            Map.of("JARVIS_DOCUMENTS_WORKERS", "0", "JARVIS_DATABASE_QUERY_TIMEOUT", "3s"));
    replica =
        service.replica(
            Map.of(
                "JARVIS_API_KEYS",
                TestService.apiKeys("carol", CAROL),
                "JARVIS_DOCUMENTS_EXTRACT_MEMORY_MIB",
                "96"));
    admin = new AdminClient(service);
    other = new AdminClient(replica);
    admin.configured("admin", "admin");
    admin.configured("carol", "member");
  }

  @AfterAll
  static void stop() {
    replica.close();
    service.close();
  }

  @Test
  void aUserIsWhatTheAdministratorSays() {
    admin.call("POST /v1/admin/teams {\"id\":\"night\",\"name\":\"Night shift\"}");
    long begin = Instant.now().getEpochSecond() - 60;

    JsonNode created =
        admin.call(
            "POST /v1/admin/users {\"id\":\"zoé@example.org\",\"name\":\"Zoé\",\"role\":\"admin\",\"team_id\":\"night\",\"limits\":{\"requests_per_minute\":60}}");
    assertThat(created.path("created_at").asLong()).isGreaterThan(begin);
    assertThat(created.path("state").asText()).isEqualTo("active");
    assertThat(other.call("GET /v1/admin/users/zo%C3%A9@example.org")).isEqualTo(created);

    JsonNode changed =
        other.call(
            "PATCH /v1/admin/users/zo%C3%A9@example.org {\"name\":null,\"role\":\"member\",\"team_id\":null,\"limits\":{\"tokens_per_minute\":5,\"requests_per_minute\":null}}");
    assertThat(changed.path("name").isNull()).isTrue();
    assertThat(changed.path("role").asText()).isEqualTo("member");
    assertThat(changed.path("team_id").isNull()).isTrue();
    assertThat(changed.path("limits").toString())
        .isEqualTo(
            "{\"requests_per_minute\":null,\"tokens_per_minute\":5,\"parallel_calls\":null}");
    assertThat(
            admin
                .call("PATCH /v1/admin/users/zo%C3%A9@example.org {\"limits\":null}")
                .at("/limits/tokens_per_minute")
                .isNull())
        .isTrue();
    assertThat(admin.call("POST /v1/admin/users/zo%C3%A9@example.org/block").path("state").asText())
        .isEqualTo("blocked");
    assertThat(ids(other, "/v1/admin/users?blocked=true")).contains("zoé@example.org");
    assertThat(
            admin
                .call("POST /v1/admin/users/zo%C3%A9@example.org/unblock")
                .path("blocked")
                .asBoolean())
        .isFalse();
    assertThat(ids(other, "/v1/admin/users?blocked=true")).doesNotContain("zoé@example.org");
  }

  @Test
  void usersAreFiltered() {
    admin.call("POST /v1/admin/teams {\"id\":\"f1\"}");
    admin.call("POST /v1/admin/users {\"id\":\"f-a\",\"team_id\":\"f1\",\"role\":\"admin\"}");
    admin.call("POST /v1/admin/users {\"id\":\"f-b\",\"team_id\":\"f1\"}");

    assertThat(ids(admin, "/v1/admin/users?team=f1")).containsExactly("f-a", "f-b");
    assertThat(ids(admin, "/v1/admin/users?team=f1&order=desc")).containsExactly("f-b", "f-a");
    assertThat(ids(admin, "/v1/admin/users?team=f1&role=admin")).containsExactly("f-a");
    assertThat(ids(admin, "/v1/admin/users?team=none")).isEmpty();
  }

  private static List<String> ids(AdminClient client, String path) {
    return client
        .call("GET " + path)
        .path("data")
        .valueStream()
        .map(it -> it.path("id").asText())
        .toList();
  }

  @Test
  void aKeyHasPropertiesIsRotatedRevokedAndDeleted() {
    admin.call("POST /v1/admin/users {\"id\":\"keys\"}");
    long end = Instant.now().getEpochSecond() + 1_000_000;
    JsonNode key =
        admin.call(
            """
            POST /v1/admin/keys {"user_id":"keys","name":"ci","models":["gpt-*","m"],"permissions":["chat","files"],\
            "addresses":["10.0.0.0/8","::1"],"limits":{"parallel_calls":3},"expires_at":%d}"""
                .formatted(end));
    String id = key.path("id").asText();
    assertThat(key.path("models").toString()).isEqualTo("[\"gpt-*\",\"m\"]");
    assertThat(key.path("permissions").toString()).isEqualTo("[\"chat\",\"files\"]");
    assertThat(key.path("addresses").toString()).isEqualTo("[\"10.0.0.0/8\",\"::1\"]");
    assertThat(key.at("/limits/parallel_calls").asInt()).isEqualTo(3);
    assertThat(key.path("expires_at").asLong()).isEqualTo(end);
    assertThat(other.call("GET /v1/admin/keys/" + id).has("key")).isFalse();

    long rotation = Instant.now().getEpochSecond();
    JsonNode next =
        other.call("POST /v1/admin/keys/%s/rotate {\"grace_seconds\":600}".formatted(id));
    assertThat(next.path("key").asText()).isNotEqualTo(key.path("key").asText());
    for (String same :
        List.of("name", "user_id", "models", "permissions", "addresses", "limits", "expires_at")) {
      assertThat(next.path(same)).as(same).isEqualTo(key.path(same));
    }
    JsonNode old = admin.call("GET /v1/admin/keys/" + id);
    assertThat(old.path("replaced_by").asText()).isEqualTo(next.path("id").asText());
    assertThat(old.path("state").asText()).isEqualTo("active");
    assertThat(old.path("expires_at").asLong()).isBetween(rotation + 540, rotation + 660);

    String nextId = next.path("id").asText();
    assertThat(admin.call("POST /v1/admin/keys/%s/revoke".formatted(nextId)).path("state").asText())
        .isEqualTo("revoked");
    assertThat(ids(admin, "/v1/admin/keys?user=keys")).containsExactly(nextId, id);
    assertThat(ids(admin, "/v1/admin/keys?user=keys&state=revoked")).containsExactly(nextId);
    assertThat(ids(admin, "/v1/admin/keys?user=keys&state=active")).containsExactly(id);
    assertThat(admin.call("PATCH /v1/admin/keys/%s {\"models\":null}".formatted(id)).path("models"))
        .isEmpty();
    admin.call("DELETE /v1/admin/keys/" + id); // an active one
    admin.call("DELETE /v1/admin/keys/" + nextId);
    assertThat(ids(admin, "/v1/admin/keys?user=keys")).isEmpty();
  }

  @Test
  void anOldKeyExpiresWhenItWouldHaveAnyway() {
    admin.call("POST /v1/admin/users {\"id\":\"soon\"}");
    long end = Instant.now().getEpochSecond() + 1_000;
    String id =
        admin
            .call("POST /v1/admin/keys {\"user_id\":\"soon\",\"expires_at\":%d}".formatted(end))
            .path("id")
            .asText();

    admin.call("POST /v1/admin/keys/%s/rotate {}".formatted(id)); // a day of grace

    assertThat(admin.call("GET /v1/admin/keys/" + id).path("expires_at").asLong()).isEqualTo(end);
  }

  @ParameterizedTest
  @ValueSource(strings = {"teams", "users"})
  void pagesAreCompleteWhileOthersInsert(String list) {
    for (int i = 0; i < 25; i++) {
      admin.call("POST /v1/admin/%s {\"id\":\"page-%02d\"}".formatted(list, i));
    }
    CompletableFuture<Void> inserting =
        CompletableFuture.runAsync(
            () -> {
              for (int i = 0; i < 25; i++) {
                other.call("POST /v1/admin/%s {\"id\":\"page-%02d-new\"}".formatted(list, i));
              }
            });
    for (String order : List.of("asc", "desc")) {
      List<String> seen = new ArrayList<>();
      String after = "";
      JsonNode page;
      do {
        page = admin.call("GET /v1/admin/%s?limit=4&order=%s%s".formatted(list, order, after));
        assertThat(page.path("data")).hasSizeLessThanOrEqualTo(4);
        page.path("data").forEach(it -> seen.add(it.path("id").asText()));
        assertThat(page.path("last_id").asText()).isEqualTo(seen.getLast());
        after = "&after=" + page.path("last_id").asText().replace("é", "%C3%A9");
      } while (page.path("has_more").asBoolean());
      assertThat(seen).doesNotHaveDuplicates();
      for (int i = 0; i < 25; i++) {
        assertThat(seen).contains("page-%02d".formatted(i));
      }
    }
    inserting.join();
    assertThat(new TreeSet<>(ids(admin, "/v1/admin/%s?limit=1000".formatted(list))))
        .contains("page-00-new", "page-24-new");
  }

  /** Each of the two is allowed alone; both would leave nobody. */
  @Test
  void replicasTogetherLeaveAnAdministrator() throws Exception {
    try (TestService one = TestService.start(Map.of());
        TestService two = one.replica(Map.of())) {
      AdminClient first = new AdminClient(one);
      AdminClient second = new AdminClient(two);
      first.configured("admin", "admin");
      first.call("POST /v1/admin/users {\"id\":\"deputy\",\"role\":\"admin\"}");
      first.call("POST /v1/admin/keys {\"user_id\":\"deputy\"}");

      List<Integer> statuses;
      try (Connection blocker = one.database().connect();
          Statement statement = blocker.createStatement()) {
        blocker.setAutoCommit(false);
        statement.execute("SELECT 1 FROM identity_version FOR UPDATE");
        CompletableFuture<HttpResponse<String>> demotion =
            CompletableFuture.supplyAsync(
                () -> first.send("PATCH /v1/admin/users/admin {\"role\":\"member\"}"));
        CompletableFuture<HttpResponse<String>> blocking =
            CompletableFuture.supplyAsync(() -> second.send("POST /v1/admin/users/deputy/block"));
        await()
            .atMost(LIMIT)
            .until(
                () ->
                    first
                            .rows(
                                "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'")
                            .size()
                        == 2);
        blocker.rollback();
        statuses = List.of(demotion.join().statusCode(), blocking.join().statusCode());
      }

      // the demoted one may not block any more
      assertThat(statuses).containsAnyOf(200).containsAnyOf(403, 409);
    }
  }

  @Test
  void whileTheDatabaseDoesNotAnswerNothingIsHalfDone() throws Exception {
    admin.call("POST /v1/admin/users {\"id\":\"patient\"}");
    int entries = admin.rows("SELECT id FROM admin_audit").size();
    try (Connection blocker = service.database().connect();
        Statement statement = blocker.createStatement()) {
      blocker.setAutoCommit(false);
      statement.execute("LOCK TABLE admin_audit"); // the last thing that a change writes
      for (String request :
          List.of(
              "POST /v1/admin/users {\"id\":\"impatient\"}",
              "POST /v1/admin/users/patient/block",
              "DELETE /v1/admin/users/patient",
              "POST /v1/admin/keys {\"user_id\":\"patient\"}",
              "GET /v1/admin/audit")) {
        HttpResponse<String> response = admin.send(request);
        assertThat(response.statusCode()).as(response.body()).isEqualTo(503);
        assertThat(TestService.json(response.body()).at("/error/code").asText())
            .isEqualTo("database_unavailable");
      }
      blocker.rollback();
    }
    assertThat(admin.send("GET /v1/admin/users/impatient").statusCode()).isEqualTo(404);
    assertThat(admin.call("GET /v1/admin/users/patient").path("state").asText())
        .isEqualTo("active");
    assertThat(ids(admin, "/v1/admin/keys?user=patient")).isEmpty();
    assertThat(admin.rows("SELECT id FROM admin_audit")).hasSize(entries);
  }

  /** The replica that deletes knows no key of carol, who uploaded by way of the other. */
  @Test
  void aDeletedUserLosesFilesAndPassagesAndIsGone() {
    String[] asCarol = {"Authorization", "Bearer " + CAROL};
    HttpResponse<String> uploaded =
        replica.upload(
            "diary.txt", "My dog is called Ulysse.".getBytes(UTF_8), "user_data", asCarol);
    assertThat(uploaded.statusCode()).as(uploaded.body()).isEqualTo(200);
    await()
        .atMost(LIMIT)
        .until(() -> admin.rows("SELECT 1 AS n FROM documents WHERE state = 'done'").size() == 1);
    admin.call("POST /v1/admin/keys {\"user_id\":\"carol\"}");

    HttpResponse<String> deleted = admin.send("DELETE /v1/admin/users/carol");

    assertThat(deleted.statusCode()).as(deleted.body()).isEqualTo(202);
    assertThat(TestService.json(deleted.body()).path("state").asText()).isEqualTo("erasing");
    assertThat(ids(admin, "/v1/admin/keys?user=carol")).isEmpty();
    assertThat(other.call("GET /v1/admin/users/carol").path("state").asText()).isEqualTo("erasing");
    assertThat(admin.send("POST /v1/admin/users {\"id\":\"carol\"}").statusCode()).isEqualTo(409);
    admin.execute(
        "UPDATE users SET updated_at = now() - interval '1 day' WHERE id = 'carol'"); // settled
    await().atMost(LIMIT).until(() -> admin.send("GET /v1/admin/users/carol").statusCode() == 404);
    assertThat(admin.rows("SELECT 1 AS n FROM documents")).isEmpty();
    assertThat(admin.rows("SELECT 1 AS n FROM document_chunks")).isEmpty();
    String audit = admin.call("GET /v1/admin/audit?action=user.delete").toString();
    assertThat(audit).contains("erased-").doesNotContain("carol");
    assertThat(admin.send("POST /v1/admin/users {\"id\":\"carol\"}").statusCode()).isEqualTo(200);
  }
}
