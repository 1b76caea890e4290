package dev.jarvis.budget;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import dev.jarvis.TestService;
import dev.jarvis.http.connection.RawConnection;
import dev.jarvis.id.UuidV7;
import java.math.BigDecimal;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.time.LocalDate;
import java.time.ZoneId;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Budgets as clients see them, with two replicas. An answer has six tokens and costs 0.012 USD. */
@Timeout(180)
class BudgetsTest {
  private static final Duration LIMIT = Duration.ofSeconds(30);
  private static final String ANN = "sk-test-key-of-ann-0123456789abcdefgh";
  private static final String ZONE = "Asia/Tokyo";

  @TempDir private static Path folder;
  private static TestService first;
  private static TestService second;

  @BeforeAll
  static void start() throws Exception {
    Path file = folder.resolve("jarvis.yaml");
    Files.writeString(
        file,
        """
        prices:
          - {provider: ollama, model: "fake:1b", input: 0, output: 2000}
        """);
    Map<String, String> settings =
        Map.of(
            "JARVIS_CONFIG",
            file.toString(),
            "JARVIS_API_KEYS",
            TestService.apiKeys("ann", ANN),
            "JARVIS_LIMITS_MAX_REPLICAS",
            "2",
            "JARVIS_BUDGETS_ZONE",
            ZONE);
    first = TestService.start(settings);
    second = first.replica(settings);
    for (TestService each : List.of(first, second)) {
      each.awaitModel("fake:1b");
      await().atMost(LIMIT).until(() -> each.metric("budget_state{state=\"redis\"}") == 1);
    }
  }

  @AfterAll
  static void stop() {
    second.close();
    first.close();
  }

  @AfterEach
  void reset() throws SQLException {
    first.ollama().reset();
    first.database().execute("DELETE FROM budgets");
    know();
  }

  /** Any change of an administrator has a replica read what has changed at once. */
  private static void know() {
    for (TestService each : List.of(first, second)) {
      String id = "team-" + UuidV7.next();
      HttpResponse<String> made = each.post("/v1/admin/teams", "{\"id\": \"%s\"}".formatted(id));
      assertThat(made.statusCode()).as(made.body()).isEqualTo(200);
    }
  }

  private static void budget(String scope, String id, String period, String limit, boolean hard)
      throws SQLException {
    first
        .database()
        .execute(
            "INSERT INTO budgets (id, scope, scope_id, period, limit_usd, hard) VALUES ('%s', '%s', '%s', '%s', %s, %s)"
                .formatted(UuidV7.next(), scope, id, period, limit, hard));
    know();
  }

  private static HttpResponse<String> ask(TestService replica, boolean stream) {
    return replica.chat(
        """
        {"model": "fake:1b", "max_tokens": 6, "stream": %s, "messages": [{"role": "user", "content": "hi"}]}"""
            .formatted(stream),
        "Authorization",
        "Bearer " + ANN);
  }

  private static BigDecimal spent() throws SQLException {
    return new BigDecimal(
        first
            .database()
            .rows("SELECT coalesce(sum(cost_usd), 0) AS usd FROM ledger_entries")
            .getFirst()
            .get("usd"));
  }

  @ParameterizedTest
  @CsvSource({"user, ann, none", "all, '', day", "user, ann, month"})
  void concurrentCallsNeverExceedAHardBudget(String scope, String id, String period)
      throws Exception {
    BigDecimal before = settled();
    budget(scope, id, period, before.add(new BigDecimal("0.065")).toPlainString(), true);

    List<Future<HttpResponse<String>>> asked = new ArrayList<>();
    try (ExecutorService clients = Executors.newVirtualThreadPerTaskExecutor()) {
      for (int i = 0; i < 40; i++) {
        TestService replica = i % 2 == 0 ? first : second;
        boolean stream = i % 4 < 2;
        asked.add(clients.submit(() -> ask(replica, stream)));
      }
    }
    long granted = 0;
    for (Future<HttpResponse<String>> each : asked) {
      HttpResponse<String> response = each.get();
      granted += response.statusCode() == 200 ? 1 : 0;
      if (response.statusCode() != 200) {
        assertThat(response.statusCode()).as(response.body()).isEqualTo(402);
      }
    }
    assertThat(granted).isEqualTo(5);
    assertThat(settled()).isEqualByComparingTo(before.add(new BigDecimal("0.06")));
  }

  /** What the ledger has once no call is open. */
  private static BigDecimal settled() throws SQLException {
    for (TestService each : List.of(first, second)) {
      for (String state : List.of("open", "settled")) {
        await()
            .atMost(LIMIT)
            .until(() -> each.metric("budget_reservations{state=\"%s\"}".formatted(state)) == 0);
      }
    }
    return spent();
  }

  @Test
  void aRefusalNamesTheBudgetItsUseAndItsRenewal() throws Exception {
    budget("user", "ann", "day", "0.000001", true);

    HttpResponse<String> refused = ask(first, false);

    assertThat(refused.statusCode()).isEqualTo(402);
    JsonNode error = TestService.json(refused.body()).path("error");
    assertThat(error.path("type").asText()).isEqualTo("insufficient_quota");
    assertThat(error.path("code").asText()).isEqualTo("insufficient_quota");
    String tomorrow = LocalDate.now(ZoneId.of(ZONE)).plusDays(1) + "T00:00:00+09:00";
    assertThat(error.path("message").asText())
        .startsWith("The day's budget ")
        .contains("of user 'ann' is used up")
        .contains("of 0.000001 USD")
        .endsWith("It renews at " + tomorrow + ".");
    assertThat(first.metric("budget_refusals_total{scope=\"user\"}")).isPositive();
    assertThat(first.ollama().requests()).isZero();
  }

  @Test
  void aSoftBudgetOnlyReports() throws Exception {
    budget("user", "ann", "none", "0.000001", false);
    ask(first, false);

    HttpResponse<String> answered = ask(first, false);

    assertThat(answered.statusCode()).isEqualTo(200);
    assertThat(answered.headers().firstValue("x-jarvis-budget"))
        .hasValueSatisfying(
            it -> assertThat(it).startsWith("user; period=none; limit=0.000001; used=0.0"));
  }

  @Test
  void othersAreNotRefused() throws Exception {
    budget("user", "bob", "none", "0.000001", true);

    assertThat(ask(first, false).statusCode()).isEqualTo(200);
  }

  @Test
  void aBudgetMadeInMidPeriodKnowsWhatWasUsedBefore() throws Exception {
    assertThat(ask(first, false).statusCode()).isEqualTo(200);
    await().atMost(LIMIT).until(() -> settled().signum() > 0);
    budget("user", "ann", "month", settled().toPlainString(), true);

    assertThat(ask(second, false).statusCode()).isEqualTo(402);
  }

  @Test
  void aRaisedLimitIsKnownAtOnce() throws Exception {
    budget("user", "ann", "month", "0.000001", true);
    assertThat(ask(first, false).statusCode()).isEqualTo(402);

    first.database().execute("UPDATE budgets SET limit_usd = 100");
    know();

    assertThat(ask(first, false).statusCode()).isEqualTo(200);
  }

  @Test
  void nothingStaysReservedForAClientThatLeft() throws Exception {
    budget("user", "ann", "none", "1000", true);
    first.ollama().stallMidStream();
    int before = first.ollama().requests();
    try (RawConnection client = new RawConnection(first)) {
      client.send(
          RawConnection.chat(
                  """
                  {"model": "fake:1b", "max_tokens": 6, "stream": true, "messages": [{"role": "user", "content": "hi"}]}""")
              .replace(TestService.KEY, ANN));
      await().atMost(LIMIT).until(() -> first.ollama().requests() == before + 1);
      assertThat(first.metric("budget_reservations{state=\"open\"}")).isEqualTo(1);
      client.reset();
    }
    await().atMost(LIMIT).until(() -> first.metric("budget_reservations{state=\"open\"}") == 0);
  }
}
