package dev.jarvis.identity;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.ThrowableProxyUtil;
import ch.qos.logback.core.AppenderBase;
import dev.jarvis.TestService;
import dev.jarvis.storage.Recorded;
import dev.jarvis.storage.embedded.TestDatabase;
import java.net.http.HttpResponse;
import java.sql.Connection;
import java.sql.Statement;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

/** What requests with keys leave behind, for every outcome. */
class CredentialsStayInsideTest {
  private static final Duration LIMIT = Duration.ofSeconds(20);

  private final List<ILoggingEvent> lines = new CopyOnWriteArrayList<>();
  private final StringBuilder answers = new StringBuilder();

  @Test
  void noKeyAndNoHashIsInALineASpanOrAnAnswer() throws Exception {
    Logger root = (Logger) LoggerFactory.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME);
    AppenderBase<ILoggingEvent> appender =
        new AppenderBase<>() {
          @Override
          protected void append(ILoggingEvent event) {
            event.prepareForDeferredProcessing();
            lines.add(event);
          }
        };
    appender.start();
    root.addAppender(appender);
    try (TestService service =
        TestService.start(
            Map.of(
                "JARVIS_IDENTITY_MAX_FAILURES_PER_MINUTE", "5",
                "JARVIS_DATABASE_QUERY_TIMEOUT", "500ms"))) {
      Map<String, String> outcomes = send(service);
      await()
          .atMost(LIMIT)
          .untilAsserted(
              () ->
                  assertThat(completed())
                      .containsAll(
                          outcomes.keySet().stream().filter(it -> !it.equals("ok")).toList()));
      for (String credential : outcomes.values()) {
        String secret = credential.substring(credential.length() - 20);
        assertThat(everything()).doesNotContain(secret);
      }
      assertThat(everything()).doesNotContain(hashes(service.database()));
    } finally {
      root.detachAppender(appender);
    }
  }

  /** Sends a key for each outcome; returns the keys by outcome. */
  private Map<String, String> send(TestService service) throws Exception {
    Map<String, String> sent = new LinkedHashMap<>();
    sent.put("ok", TestKeys.add(service.database(), "ann").text());
    sent.put("revoked_key", key(service, "revoked_at = now()"));
    sent.put("expired_key", key(service, "expires_at = now()"));
    sent.put("address", key(service, "addresses = '{192.0.2.1}'"));
    ApiKey blocked = TestKeys.add(service.database(), "blocked");
    service.database().execute("UPDATE users SET blocked_at = now() WHERE id = 'blocked'");
    sent.put("blocked", blocked.text());
    for (Map.Entry<String, String> each : sent.entrySet()) {
      get(service, each.getValue());
    }
    sent.put("unavailable", TestKeys.add(service.database(), "slow").text());
    whileLocked(service, () -> get(service, sent.get("unavailable")));
    sent.put("unknown_key", ApiKey.generate().text());
    get(service, sent.get("unknown_key"));
    for (int i = 0; i < 6; i++) {
      get(service, "wrong-key-0123456789-0123456789" + i);
    }
    sent.put("too_many_failures", ApiKey.generate().text());
    get(service, sent.get("too_many_failures"));
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
        CompletableFuture<Void> request =
            CompletableFuture.runAsync(() -> get(service, key.text()));
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

  private void get(TestService service, String key) {
    HttpResponse<String> response = service.get("/v1/models", "Authorization", "Bearer " + key);
    synchronized (answers) {
      answers.append(response.body()).append(response.headers().map()).append('\n');
    }
  }

  private List<String> completed() {
    return lines.stream()
        .filter(it -> it.getMessage().equals("request_completed"))
        .flatMap(it -> it.getKeyValuePairs().stream())
        .filter(it -> it.key.equals("auth_failure"))
        .map(it -> String.valueOf(it.value))
        .toList();
  }

  private String everything() {
    StringBuilder all = new StringBuilder(answers);
    lines.forEach(
        it ->
            all.append(it.getFormattedMessage())
                .append(it.getKeyValuePairs())
                .append(it.getMDCPropertyMap())
                .append(
                    it.getThrowableProxy() == null
                        ? ""
                        : ThrowableProxyUtil.asString(it.getThrowableProxy())));
    Recorded.spans().forEach(all::append);
    return all.toString();
  }

  private static String[] hashes(TestDatabase database) throws Exception {
    return database.rows("SELECT encode(sha256, 'hex') AS hash FROM api_keys").stream()
        .map(it -> it.getOrDefault("hash", ""))
        .toArray(String[]::new);
  }
}
