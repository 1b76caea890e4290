package dev.jarvis.ledger;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.jarvis.gateway.AttemptEntry;
import dev.jarvis.gateway.Cost;
import dev.jarvis.gateway.FinishReason;
import dev.jarvis.gateway.LedgerEntry;
import dev.jarvis.gateway.Outcome;
import dev.jarvis.gateway.TargetName;
import dev.jarvis.gateway.Usage;
import dev.jarvis.storage.Database;
import dev.jarvis.storage.Recorded;
import dev.jarvis.storage.embedded.Stores;
import dev.jarvis.storage.embedded.TestDatabase;
import dev.jarvis.telemetry.Metric;
import dev.jarvis.telemetry.Telemetry;
import io.helidon.dbclient.DbRow;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.context.Scope;
import java.math.BigDecimal;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The ledger with a real PostgreSQL. */
class LedgerEntryStoreTest {
  private static final DateTimeFormatter MONTH = DateTimeFormatter.ofPattern("uuuu_MM");

  @TempDir static Path home;
  private static TestDatabase testDatabase;
  private static Telemetry telemetry;
  private static Database database;
  private static LedgerEntryStore store;

  @BeforeAll
  static void open() throws Exception {
    telemetry = Recorded.start();
    testDatabase = TestDatabase.create();
    database = Stores.database(testDatabase.config(4, Duration.ofSeconds(30)), home, telemetry);
    store = new LedgerEntryStore(database);
  }

  @AfterAll
  static void close() throws Exception {
    database.close();
    telemetry.close();
    testDatabase.close();
  }

  @BeforeEach
  void empty() {
    database.execute(db -> db.createNamedDelete("empty", "DELETE FROM llm_requests").execute());
  }

  private static List<String> partitionsOfRows() {
    return database.execute(
        db ->
            db.createNamedQuery(
                    "partitions",
                    "SELECT tableoid::regclass::text AS name FROM llm_requests ORDER BY 1")
                .execute()
                .map(it -> it.column("name").getString())
                .toList());
  }

  private static String partition(Instant time) {
    return "llm_requests_" + MONTH.format(time.atOffset(ZoneOffset.UTC));
  }

  private static Instant at(int year, int month) {
    return LocalDate.of(year, month, 15).atStartOfDay().toInstant(ZoneOffset.UTC);
  }

  @Test
  void writesEveryColumn() {
    UUID id = LedgerEntries.at(Instant.parse("2026-11-23T21:22:23.456Z")).id();
    LedgerEntry entry =
        LedgerEntries.of(
            id,
            new AttemptEntry(
                1,
                new TargetName("p", "m"),
                Outcome.OK,
                true,
                FinishReason.STOP,
                new Usage(1, 2, 3, 4, true),
                new Cost(new BigDecimal("0.000000000001"), null),
                Duration.ofMillis(400),
                Duration.ofMillis(50)));
    store.insert(entry);
    store.insert(entry); // has no effect

    List<DbRow> rows =
        database.execute(
            db ->
                db.createNamedQuery("rows", "SELECT *, created_at::text AS at FROM llm_requests")
                    .execute()
                    .toList());
    assertThat(rows).hasSize(1);
    DbRow row = rows.getFirst();
    assertThat(row.column("id").get().toString()).isEqualTo(id.toString());
    assertThat(row.column("call_id").get().toString()).isEqualTo(id.toString());
    assertThat(row.column("attempt").getInt()).isEqualTo(1);
    assertThat(row.column("at").getString()).startsWith("2026-11-23 21:22:23.456");
    assertThat(row.column("user_id").getString()).isEqualTo("ann");
    assertThat(row.column("end_user").getString()).isEqualTo("end-user");
    assertThat(row.column("request_id").getString()).isEqualTo("req-1");
    assertThat(row.column("trace_id").getString()).isEqualTo(LedgerEntries.TRACE);
    assertThat(row.column("operation").getString()).isEqualTo("chat");
    assertThat(row.column("model").getString()).isEqualTo("m");
    assertThat(row.column("provider").getString()).isEqualTo("p");
    assertThat(row.column("outcome").getString()).isEqualTo("ok");
    assertThat(row.column("input_tokens").getInt()).isEqualTo(1);
    assertThat(row.column("cached_input_tokens").getInt()).isEqualTo(2);
    assertThat(row.column("output_tokens").getInt()).isEqualTo(3);
    assertThat(row.column("reasoning_tokens").getInt()).isEqualTo(4);
    assertThat(row.column("estimated").getBoolean()).isTrue();
    assertThat(row.column("cost_usd").get(BigDecimal.class)).isEqualTo("0.000000000001");
    assertThat(row.column("streamed").getBoolean()).isTrue();
    assertThat(row.column("duration_ms").getLong()).isEqualTo(400);
    assertThat(row.column("time_to_first_token_ms").getLong()).isEqualTo(50);
    assertThat(row.column("finish_reason").getString()).isEqualTo("stop");
  }

  @Test
  void readsARowFromBeforeThereWereAttempts() {
    LedgerEntry old = LedgerEntries.at(Instant.now());
    database.execute(
        db ->
            db.createNamedInsert(
                    "insert_old",
                    """
                    INSERT INTO llm_requests (
                      id, created_at, user_id, request_id, trace_id, operation, model, provider, outcome, input_tokens,
                      cached_input_tokens, output_tokens, estimated, streamed, duration_ms)
                    VALUES (CAST(? AS uuid), now(), 'ann', 'r', 't', 'chat', 'm', 'p', 'ok', 1, 0, 2, false, false, 3)""")
                .addParam(old.id())
                .execute());

    DbRow row =
        database.execute(
            db ->
                db.createNamedGet(
                        "old",
                        "SELECT call_id IS NULL AS alone, attempt, reasoning_tokens FROM llm_requests")
                    .execute()
                    .orElseThrow());
    assertThat(row.column("alone").getBoolean()).isTrue();
    assertThat(row.column("attempt").getInt()).isEqualTo(1);
    assertThat(row.column("reasoning_tokens").getInt()).isZero();
  }

  @Test
  void writesRowsOfThisMonthAndTheNextToTheirPartitionsAndOthersToTheDefaultOne() throws Exception {
    Instant now = Instant.now();
    Instant nextMonth = now.atOffset(ZoneOffset.UTC).plusMonths(1).toInstant();
    try (Ledger ledger = new Ledger(database, telemetry)) {
      ledger.record(LedgerEntries.at(now));
      ledger.record(LedgerEntries.at(nextMonth));
      ledger.record(LedgerEntries.at(at(2020, 1)));
    }
    assertThat(partitionsOfRows())
        .containsExactlyInAnyOrder(partition(now), partition(nextMonth), "llm_requests_default");
  }

  @Test
  void movesRowsFromTheDefaultPartitionToALatePartition() {
    store.insert(LedgerEntries.at(at(2031, 3)));
    store.insert(LedgerEntries.at(at(2031, 4)));
    store.ensurePartition(at(2031, 3));
    store.ensurePartition(at(2031, 3)); // exists already
    assertThat(partitionsOfRows())
        .containsExactlyInAnyOrder("llm_requests_2031_03", "llm_requests_default");
  }

  @Test
  void partitionsByMonthInUtc() {
    store.ensurePartition(at(2032, 5));
    store.insert(LedgerEntries.at(Instant.parse("2032-04-30T23:59:59.999Z")));
    store.insert(LedgerEntries.at(Instant.parse("2032-05-01T00:00:00Z")));
    store.insert(LedgerEntries.at(Instant.parse("2032-05-31T23:59:59.999Z")));
    store.insert(LedgerEntries.at(Instant.parse("2032-06-01T00:00:00Z")));
    assertThat(partitionsOfRows())
        .containsExactlyInAnyOrder(
            "llm_requests_2032_05",
            "llm_requests_2032_05",
            "llm_requests_default",
            "llm_requests_default");
  }

  @Test
  void recordsTheSpanOfAnInsertInTheTraceOfItsRequest() throws Exception {
    Span request = telemetry.tracer().spanBuilder("request").startSpan();
    try (Ledger ledger = new Ledger(database, telemetry)) {
      try (Scope ignored = request.makeCurrent()) {
        ledger.record(LedgerEntries.at(Instant.now()));
      }
      request.end();
      await()
          .atMost(Duration.ofSeconds(20))
          .untilAsserted(
              () ->
                  assertThat(Recorded.spans("insert_llm_request postgresql"))
                      .anySatisfy(
                          it ->
                              assertThat(it.getParentSpanId())
                                  .isEqualTo(request.getSpanContext().getSpanId())));
    }
  }

  @Test
  void countsARowThatPostgresqlRejects() throws Exception {
    LedgerEntry valid = LedgerEntries.at(Instant.now());
    AttemptEntry attempt = valid.attempts().getFirst();
    LedgerEntry rejected =
        LedgerEntries.of(
            valid.id(),
            new AttemptEntry(
                1,
                attempt.target(),
                attempt.outcome(),
                true,
                null,
                Usage.counted(-1, 0),
                attempt.cost(),
                attempt.duration(),
                null));
    long before = Recorded.value(Metric.LEDGER_ROWS, "error").orElse(0L);
    try (Ledger ledger = new Ledger(database, telemetry)) {
      ledger.record(rejected);
    }
    assertThat(Recorded.value(Metric.LEDGER_ROWS, "error")).hasValue(before + 1);
    assertThat(
            Recorded.value(Metric.DB_CLIENT_OPERATION_ERRORS, "postgresql", "insert_llm_request"))
        .hasValueSatisfying(it -> assertThat(it).isPositive());
  }
}
