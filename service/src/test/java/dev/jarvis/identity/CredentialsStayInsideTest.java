package dev.jarvis.identity;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.jarvis.TestService;
import dev.jarvis.Traces;
import dev.jarvis.storage.embedded.TestDatabase;
import java.net.http.HttpResponse;
import java.sql.Connection;
import java.sql.Statement;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

/** What requests with keys leave behind, for every outcome. */
class CredentialsStayInsideTest {
  private static final Duration LIMIT = Duration.ofSeconds(20);

  @Test
  void noKeyAndNoHashIsInALineASpanOrAnAnswer() throws Exception {
    try (Traces traces = new Traces();
        TestService service =
            TestService.start(
                Map.of(
                    "JARVIS_IDENTITY_MAX_FAILURES_PER_MINUTE", "5",
                    "JARVIS_DATABASE_QUERY_TIMEOUT", "500ms"))) {
      Map<String, String> outcomes = send(service, traces);
      await()
          .atMost(LIMIT)
          .untilAsserted(
              () ->
                  assertThat(traces.completed("auth_failure"))
                      .containsAll(
                          outcomes.keySet().stream().filter(it -> !it.equals("ok")).toList()));
      String left = traces.text() + Traces.rows(service.database());
      for (String credential : outcomes.values()) {
        assertThat(left).doesNotContain(credential.substring(credential.length() - 20));
      }
      assertThat(traces.text()).doesNotContain(hashes(service.database()));
    }
  }

  /** Sends a key for each outcome; returns the keys by outcome. */
  private static Map<String, String> send(TestService service, Traces traces) throws Exception {
    Map<String, String> sent = new LinkedHashMap<>();
    sent.put("ok", TestKeys.add(service.database(), "ann").text());
    sent.put("revoked_key", key(service, "revoked_at = now()"));
    sent.put("expired_key", key(service, "expires_at = now()"));
    sent.put("address", key(service, "addresses = '{192.0.2.1}'"));
    ApiKey blocked = TestKeys.add(service.database(), "blocked");
    service.database().execute("UPDATE users SET blocked_at = now() WHERE id = 'blocked'");
    sent.put("blocked", blocked.text());
    for (Map.Entry<String, String> each : sent.entrySet()) {
      traces.answered(get(service, each.getValue()));
    }
    sent.put("unavailable", TestKeys.add(service.database(), "slow").text());
    whileLocked(service, () -> traces.answered(get(service, sent.get("unavailable"))));
    sent.put("unknown_key", ApiKey.generate().text());
    traces.answered(get(service, sent.get("unknown_key")));
    for (int i = 0; i < 6; i++) {
      traces.answered(get(service, "wrong-key-0123456789-0123456789" + i));
    }
    sent.put("too_many_failures", ApiKey.generate().text());
    traces.answered(get(service, sent.get("too_many_failures")));
    return sent;
  }

  private static String key(TestService service, String assignments) throws Exception {
    ApiKey key = TestKeys.add(service.database(), "ann");
    TestKeys.set(service.database(), key, assignments);
    return key.text();
  }

  private static void whileLocked(TestService service, Runnable work) throws Exception {
    try (Connection connection = service.database().connect();
        Statement statement = connection.createStatement()) {
      connection.setAutoCommit(false);
      statement.execute("LOCK TABLE api_keys IN ACCESS EXCLUSIVE MODE");
      work.run();
      connection.rollback();
    }
  }

  /** The time that a request waits for its authentication is part of its duration. */
  @Test
  void aRequestsDurationIncludesItsAuthentication() throws Exception {
    try (TestService service = TestService.start(Map.of())) {
      ApiKey key = TestKeys.add(service.database(), "ann");
      double before = service.metric(SUM);
      double[] waited = new double[1];
      try (Connection connection = service.database().connect();
          Statement statement = connection.createStatement()) {
        connection.setAutoCommit(false);
        statement.execute("LOCK TABLE api_keys IN ACCESS EXCLUSIVE MODE");
        CompletableFuture<HttpResponse<String>> request =
            CompletableFuture.supplyAsync(() -> get(service, key.text()));
        await().atMost(LIMIT).until(() -> waiting(service));
        long start = System.nanoTime();
        assertThat(waiting(service)).isTrue();
        waited[0] = (System.nanoTime() - start) / 1e9;
        connection.rollback();
        request.get();
      }
      await()
          .atMost(LIMIT)
          .untilAsserted(
              () -> assertThat(service.metric(SUM) - before).isGreaterThanOrEqualTo(waited[0]));
    }
  }

  private static final String SUM =
      "http_request_duration_seconds_sum{method=\"GET\",route=\"/v1/models\"}";

  private static boolean waiting(TestService service) throws Exception {
    return !service
        .database()
        .rows(
            "SELECT 1 FROM pg_stat_activity WHERE datname = current_database()"
                + " AND wait_event_type = 'Lock' AND query LIKE '%api_keys%'")
        .isEmpty();
  }

  private static HttpResponse<String> get(TestService service, String key) {
    return service.get("/v1/models", "Authorization", "Bearer " + key);
  }

  private static String[] hashes(TestDatabase database) throws Exception {
    return database.rows("SELECT encode(sha256, 'hex') AS hash FROM api_keys").stream()
        .map(it -> it.getOrDefault("hash", ""))
        .toArray(String[]::new);
  }
}
