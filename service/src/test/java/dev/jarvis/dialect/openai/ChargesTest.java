package dev.jarvis.dialect.openai;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.awaitility.Awaitility.await;

import dev.jarvis.TestService;
import dev.jarvis.http.connection.RawConnection;
import dev.jarvis.provider.ollama.FakeOllama;
import dev.jarvis.provider.openai.FakeOpenAi;
import java.net.http.HttpResponse;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Ledger entries of calls that fail or are aborted. A machine costs 3600 USD an hour. */
@Timeout(120)
class ChargesTest {
  private static final Duration LIMIT = Duration.ofSeconds(30);
  private static final FakeOllama DEAD = FakeOllama.start();
  private static final FakeOllama QUICK = FakeOllama.start();
  private static FakeOpenAi cloud;
  private static TestService service;

  @BeforeAll
  static void start() throws Exception {
    cloud = FakeOpenAi.start("cloud-1");
    DEAD.listModels("dead:1b");
    QUICK.listModels("quick:1b", "taught:1b");
    service =
        TestService.startWith(
                """
                providers:
                  dead: {type: ollama, url: "%s", first-token-timeout: 700ms, answer-timeout: 700ms}
                  quick: {type: ollama, url: "%s"}
                  cloud: {type: openai, url: "%s"}
                routes:
                  - name: gone
                    targets:
                      - {provider: dead, model: "dead:1b", priority: 1}
                      - {provider: quick, model: "quick:1b", priority: 2}
                prices:
                  - {provider: ollama, model: "fake:1b", input: 2, output: 4}
                  - {provider: cloud, model: cloud-1, input: 3, output: 0}
                  - {provider: dead, model: "dead:1b", hour: 3600}
                  - {provider: quick, model: "quick:1b", hour: 3600}
                """
                    .formatted(DEAD.uri(), QUICK.uri(), cloud.uri()))
            .awaitModel("cloud-1")
            .awaitModel("fake:1b")
            .awaitModel("dead:1b")
            .awaitModel("taught:1b");
  }

  @AfterAll
  static void stop() {
    service.close();
    DEAD.close();
    QUICK.close();
    cloud.close();
  }

  @AfterEach
  void reset() {
    service.ollama().reset();
    DEAD.reset();
    DEAD.listModels("dead:1b");
    QUICK.reset();
    QUICK.listModels("quick:1b", "taught:1b");
  }

  private static String body(String model, boolean stream, String question, String fields) {
    return "{\"model\":\"%s\",\"stream\":%s,\"messages\":[{\"role\":\"user\",\"content\":\"%s\"}]%s}"
        .formatted(model, stream, question, fields);
  }

  /** The ledger's rows of a request, by attempt. */
  private static List<Map<String, String>> rows(String requestId, int count) {
    List<Map<String, String>> rows = new ArrayList<>();
    await()
        .atMost(LIMIT)
        .until(
            () -> {
              rows.clear();
              rows.addAll(query(requestId));
              return rows.size() >= count;
            });
    assertThat(rows).hasSize(count);
    return rows;
  }

  private static List<Map<String, String>> query(String requestId) throws SQLException {
    return service
        .database()
        .rows(
            """
            SELECT a.*, a.number AS attempt, e.operation FROM ledger_attempts a JOIN ledger_entries e ON e.id = a.call_id
            WHERE e.request_id = '%s' AND (a.worked OR a.number = e.attempts) ORDER BY a.number"""
                .formatted(requestId));
  }

  private static void hangUp(FakeOllama server, String requestId, String body) throws Exception {
    int before = server.requests();
    try (RawConnection client = new RawConnection(service)) {
      client.send(
          RawConnection.chat(body)
              .replaceFirst("\r\n", "\r\nx-request-id: %s\r\n".formatted(requestId)));
      await().atMost(LIMIT).until(() -> server.requests() == before + 1);
      client.reset();
    }
  }

  private static double number(Map<String, String> row, String column) {
    return Double.parseDouble(row.get(column));
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void aClientThatDisconnectsBeforeTheFirstTokenPaysForItsPrompt(boolean stream) throws Exception {
    service.ollama().stallBeforeHeaders();
    String id = "left-early-" + stream;

    hangUp(service.ollama(), id, body("fake:1b", stream, "x".repeat(100_000), ""));

    Map<String, String> row = rows(id, 1).getFirst();
    assertThat(row)
        .containsEntry("outcome", "aborted")
        .containsEntry("input_tokens", "25000")
        .containsEntry("output_tokens", "0")
        .containsEntry("estimated", "t")
        .containsEntry("attempt", "1");
    assertThat(number(row, "cost_usd")).isEqualTo(25_000 * 2e-6, within(1e-9));
  }

  @Test
  void aClientThatDisconnectsFromEmbeddingsPaysForItsInput() throws Exception {
    cloud.hangInsideEmbeddings();
    String body = "{\"model\":\"cloud-1\",\"input\":[\"%s\"]}".formatted("x".repeat(100_000));
    try (RawConnection client = new RawConnection(service)) {
      client.send(
          RawConnection.chat(body)
              .replace("/v1/chat/completions", "/v1/embeddings")
              .replaceFirst("\r\n", "\r\nx-request-id: left-embeddings\r\n"));
      await().atMost(LIMIT).until(() -> cloud.requests() == 1);
      client.reset();
    }

    Map<String, String> row = rows("left-embeddings", 1).getFirst();
    assertThat(row)
        .containsEntry("operation", "embeddings")
        .containsEntry("outcome", "aborted")
        .containsEntry("input_tokens", "25000")
        .containsEntry("estimated", "t");
    assertThat(number(row, "cost_usd")).isEqualTo(25_000 * 3e-6, within(1e-9));
  }

  @Test
  void aTargetThatFailsMidwayHasItsOwnEntry() {
    DEAD.errorLineFirst();

    HttpResponse<String> response =
        service.chat(body("gone", true, "abcdefgh", ""), "x-request-id", "failed");

    assertThat(response.body()).contains("[DONE]");
    Map<String, String> dead = rows("failed", 2).getFirst();
    assertThat(dead)
        .containsEntry("provider", "dead")
        .containsEntry("outcome", "error")
        .containsEntry("input_tokens", "2")
        .containsEntry("estimated", "t");
    assertThat(number(dead, "cost_usd"))
        .isEqualTo(number(dead, "duration_ms") / 1000, within(0.001));
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void aTargetThatTimesOutHasItsOwnEntry(boolean stream) {
    String firstTokens =
        "llm_time_to_first_token_seconds_sum{model=\"quick:1b\",provider=\"quick\"}";
    double firstTokensBefore = service.metric(firstTokens);
    DEAD.stallBeforeHeaders();
    QUICK.reportDurations(""); // priced is then the time by the service's clock
    long start = System.nanoTime();

    HttpResponse<String> response =
        service.chat(body("gone", stream, "hi", ""), "x-request-id", "gone-" + stream);

    double wholeMillis = (System.nanoTime() - start) / 1e6;
    assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
    assertThat(response.headers().firstValue("x-jarvis-provider")).contains("quick");
    List<Map<String, String>> rows = rows("gone-" + stream, 2);
    Map<String, String> dead = rows.get(0);
    Map<String, String> quick = rows.get(1);
    assertThat(dead)
        .containsEntry("attempt", "1")
        .containsEntry("provider", "dead")
        .containsEntry("outcome", "error")
        .containsEntry("estimated", "t")
        .containsEntry("call_id", quick.get("call_id"));
    assertThat(quick)
        .containsEntry("attempt", "2")
        .containsEntry("provider", "quick")
        .containsEntry("outcome", "ok")
        .containsEntry("estimated", "f")
        .containsEntry("call_id", quick.get("call_id"));
    for (Map<String, String> row : rows) {
      assertThat(number(row, "cost_usd"))
          .as("the cost of %s's own time", row.get("provider"))
          .isPositive() // from when the request was sent
          .isLessThanOrEqualTo(number(row, "duration_ms") / 1000 + 0.001);
    }
    double deadMillis = number(dead, "duration_ms");
    assertThat(deadMillis).as("until its limit").isGreaterThanOrEqualTo(690);
    assertThat(number(quick, "duration_ms")).isLessThanOrEqualTo(wholeMillis - deadMillis);
    assertThat(1000 * (service.metric(firstTokens) - firstTokensBefore))
        .isLessThanOrEqualTo(wholeMillis - deadMillis);
  }

  @Test
  void answersAtOnceShareTheTimeOfTheirMachine() throws Exception {
    QUICK.stallBeforeHeaders();
    int before = QUICK.requests();
    List<RawConnection> clients = new ArrayList<>();
    try {
      for (String id : List.of("shares-0", "shares-1")) {
        RawConnection client = new RawConnection(service);
        clients.add(client);
        client.send(
            RawConnection.chat(body("quick:1b", true, "hi", ""))
                .replaceFirst("\r\n", "\r\nx-request-id: %s\r\n".formatted(id)));
      }
      await().atMost(LIMIT).until(() -> QUICK.requests() == before + 2);
      for (RawConnection client : clients) {
        client.reset();
      }
    } finally {
      for (RawConnection client : clients) {
        client.close();
      }
    }

    double costs = 0;
    double millis = 0;
    for (String id : List.of("shares-0", "shares-1")) {
      Map<String, String> row = rows(id, 1).getFirst();
      assertThat(number(row, "cost_usd")).isPositive();
      costs += number(row, "cost_usd");
      millis += number(row, "duration_ms");
    }
    assertThat(costs).as("both together, a dollar a second").isLessThan(millis / 1000);
  }

  @Test
  void aClientThatDisconnectsFromAWholeAnswerPaysForTheTokensGeneratedByThen() throws Exception {
    QUICK.reportDurations(1, 1, 1); // 6 tokens in a millisecond
    assertThat(service.chat(body("taught:1b", false, "hi", "")).statusCode()).isEqualTo(200);
    QUICK.stallBeforeHeaders();

    hangUp(QUICK, "left-whole", body("taught:1b", false, "abcdefgh", ""));
    hangUp(QUICK, "left-limited", body("taught:1b", false, "abcdefgh", ",\"max_tokens\":1"));

    Map<String, String> row = rows("left-whole", 1).getFirst();
    assertThat(row)
        .containsEntry("outcome", "aborted")
        .containsEntry("input_tokens", "2")
        .containsEntry("estimated", "t");
    double millis = number(row, "duration_ms");
    assertThat(number(row, "output_tokens")).isBetween(6 * millis, 6 * (millis + 1));
    assertThat(number(row, "output_tokens")).isPositive();
    assertThat(rows("left-limited", 1).getFirst())
        .as("no more than it asked for")
        .containsEntry("output_tokens", "1");
  }
}
