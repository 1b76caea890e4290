package dev.jarvis.ledger;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.jarvis.gateway.Asked;
import dev.jarvis.gateway.AttemptEntry;
import dev.jarvis.gateway.Cost;
import dev.jarvis.gateway.FinishReason;
import dev.jarvis.gateway.LedgerEntry;
import dev.jarvis.gateway.Operation;
import dev.jarvis.gateway.Origin;
import dev.jarvis.gateway.Outcome;
import dev.jarvis.gateway.Rank;
import dev.jarvis.gateway.TargetName;
import dev.jarvis.gateway.Usage;
import dev.jarvis.id.UuidV7;
import dev.jarvis.storage.Database;
import dev.jarvis.storage.Recorded;
import dev.jarvis.storage.embedded.Stores;
import dev.jarvis.storage.embedded.TestDatabase;
import dev.jarvis.telemetry.Telemetry;
import java.math.BigDecimal;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The ledger's tables in a real PostgreSQL. */
@Timeout(90)
class LedgerEntryStoreTest {
  @TempDir static Path home;
  private static TestDatabase server;
  private static Telemetry telemetry;
  private static Database database;
  private static LedgerEntryStore store;

  @BeforeAll
  static void open() throws Exception {
    telemetry = Recorded.start();
    server = TestDatabase.create();
    database = Stores.database(server.config(6, Duration.ofSeconds(30)), home, telemetry);
    store = new LedgerEntryStore(database);
  }

  @AfterAll
  static void close() throws Exception {
    database.close();
    telemetry.close();
    server.close();
  }

  @BeforeEach
  void empty() throws SQLException {
    server.execute("TRUNCATE ledger_entries, ledger_attempts, ledger_totals");
  }

  private static AttemptEntry attempt(
      int number, int tokens, @org.jspecify.annotations.Nullable String cost) {
    return new AttemptEntry(
        number,
        new TargetName("p", "m" + number),
        Outcome.OK,
        true,
        FinishReason.STOP,
        Usage.counted(tokens, tokens),
        cost == null ? null : new Cost(new BigDecimal(cost), null),
        Duration.ofMillis(10),
        null);
  }

  private static LedgerEntry entry(UUID id, Rank rank, String user, AttemptEntry... attempts) {
    return new LedgerEntry(
        id,
        rank,
        LocalDate.of(2026, 11, 1 + Math.floorMod(id.hashCode(), 3)),
        new Origin(user, "team", user + "-key", null, null, "r", LedgerEntries.TRACE),
        new Asked(Operation.CHAT, "route", false),
        new LedgerEntry.Result(new TargetName("p", "m"), Outcome.OK, null),
        List.of(attempts));
  }

  private static List<Map<String, String>> entries() throws SQLException {
    return server.rows("SELECT * FROM ledger_entries ORDER BY id");
  }

  private static Instant at(int year, int month) {
    return LocalDate.of(year, month, 15).atStartOfDay().toInstant(ZoneOffset.UTC);
  }

  private static List<String> partitions(String table) throws SQLException {
    return server
        .rows("SELECT tableoid::regclass::text AS name FROM %s ORDER BY 1".formatted(table))
        .stream()
        .map(it -> it.get("name"))
        .toList();
  }

  @Test
  void writesEveryColumn() throws Exception {
    UUID id = LedgerEntries.at(Instant.parse("2026-11-23T21:22:23.456Z")).id();
    UUID parent = UuidV7.next();
    store.write(
        List.of(
            new LedgerEntry(
                id,
                Rank.ESTIMATED,
                LocalDate.of(2026, 11, 24),
                new Origin("ann", "team", "key", "eve", parent, "req-1", LedgerEntries.TRACE),
                new Asked(Operation.CHAT, "route", true),
                new LedgerEntry.Result(new TargetName("p", "m"), Outcome.OK, FinishReason.STOP),
                List.of(
                    new AttemptEntry(
                        1,
                        new TargetName("q", "n"),
                        Outcome.ERROR,
                        true,
                        null,
                        Usage.counted(5, 0),
                        new Cost(new BigDecimal("0.5"), new BigDecimal("2")),
                        Duration.ofMillis(30),
                        null),
                    new AttemptEntry(
                        2,
                        new TargetName("p", "m"),
                        Outcome.OK,
                        true,
                        FinishReason.STOP,
                        new Usage(1, 2, 3, 4, true),
                        new Cost(new BigDecimal("0.000000000001"), null),
                        Duration.ofMillis(400),
                        Duration.ofMillis(50))))));

    Map<String, String> row = new HashMap<>(entries().getFirst());
    assertThat(row.remove("created_at")).startsWith("2026-11-2");
    assertThat(row)
        .containsExactlyInAnyOrderEntriesOf(
            Map.ofEntries(
                Map.entry("id", id.toString()),
                Map.entry("rank", "2"),
                Map.entry("day", "2026-11-24"),
                Map.entry("user_id", "ann"),
                Map.entry("team_id", "team"),
                Map.entry("key_id", "key"),
                Map.entry("end_user", "eve"),
                Map.entry("parent_id", parent.toString()),
                Map.entry("request_id", "req-1"),
                Map.entry("trace_id", LedgerEntries.TRACE),
                Map.entry("operation", "chat"),
                Map.entry("requested_model", "route"),
                Map.entry("provider", "p"),
                Map.entry("model", "m"),
                Map.entry("outcome", "ok"),
                Map.entry("finish_reason", "stop"),
                Map.entry("streamed", "t"),
                Map.entry("attempts", "2"),
                Map.entry("input_tokens", "6"),
                Map.entry("cached_input_tokens", "2"),
                Map.entry("cache_write_tokens", "0"),
                Map.entry("audio_input_tokens", "0"),
                Map.entry("output_tokens", "3"),
                Map.entry("reasoning_tokens", "4"),
                Map.entry("audio_output_tokens", "0"),
                Map.entry("estimated", "t"),
                Map.entry("cost_usd", "0.500000000001"),
                Map.entry("comparison_usd", "2.000000000000"),
                Map.entry("duration_ms", "430"),
                Map.entry("time_to_first_token_ms", "50")));
    assertThat(
            server.rows(
                "SELECT number, provider, model, outcome, worked, input_tokens, output_tokens, cost_usd, comparison_usd FROM ledger_attempts ORDER BY number"))
        .containsExactly(
            Map.of(
                "number",
                "1",
                "provider",
                "q",
                "model",
                "n",
                "outcome",
                "error",
                "worked",
                "t",
                "input_tokens",
                "5",
                "output_tokens",
                "0",
                "cost_usd",
                "0.500000000000",
                "comparison_usd",
                "2.000000000000"),
            Map.of(
                "number",
                "2",
                "provider",
                "p",
                "model",
                "m",
                "outcome",
                "ok",
                "worked",
                "t",
                "input_tokens",
                "1",
                "output_tokens",
                "3",
                "cost_usd",
                "0.000000000001"));
    Totals.check(server);
  }

  @ParameterizedTest
  @ValueSource(strings = {"a\0b", "\0", "half \ud83d", "\\u0000", "'; --", "\ud83d\ude00"})
  void anyNameCanBeWritten(String name) throws Exception {
    store.write(List.of(entry(UuidV7.next(), Rank.EXACT, name, attempt(1, 1, "1"))));
    assertThat(entries()).hasSize(1);
  }

  @Test
  void onlyAHigherRankReplacesAnEntry() throws Exception {
    UUID id = UuidV7.next();
    store.write(List.of(entry(id, Rank.RECOVERED, "ann", attempt(1, 100, "100"))));
    store.write(List.of(entry(id, Rank.EXACT, "ann", attempt(1, 3, "3"), attempt(2, 4, "4"))));
    for (Rank late : Rank.values()) {
      store.write(List.of(entry(id, late, "ann", attempt(1, 50, "50"))));
    }
    assertThat(entries())
        .singleElement()
        .satisfies(it -> assertThat(it).containsEntry("cost_usd", "7.000000000000"));
    assertThat(server.rows("SELECT sum(cost_usd) AS x FROM ledger_attempts"))
        .containsExactly(Map.of("x", "7.000000000000"));
    Totals.check(server);
  }

  @Test
  void ofOneCallInABatchTheHighestRankCounts() throws Exception {
    UUID id = UuidV7.next();
    store.write(
        List.of(
            entry(id, Rank.ESTIMATED, "ann", attempt(1, 9, "9")),
            entry(id, Rank.EXACT, "ann", attempt(1, 1, "1")),
            entry(id, Rank.RECOVERED, "ann", attempt(1, 5, "5"))));
    assertThat(entries())
        .singleElement()
        .satisfies(it -> assertThat(it).containsEntry("rank", "3"));
    Totals.check(server);
  }

  @Test
  void anEntryThatIsRejectedIsNotWrittenInPart() throws Exception {
    LedgerEntry bad = entry(UuidV7.next(), Rank.EXACT, "ann", attempt(1, -1, "1"));
    assertThatThrownBy(() -> store.write(List.of(entry(UuidV7.next(), Rank.EXACT, "ann"), bad)))
        .satisfies(it -> assertThat(Database.isRejected(it)).isTrue());
    assertThat(entries()).isEmpty();
    Totals.check(server);
  }

  /** Entries of all ranks, in any order, in batches of any size, from several replicas at once. */
  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3})
  void totalsAreTheSumsOfTheEntries(long seed) throws Exception {
    Random random = new Random(seed);
    List<UUID> ids = new ArrayList<>();
    for (int i = 0; i < 120; i++) {
      ids.add(LedgerEntries.at(at(2026, 1 + random.nextInt(6))).id());
    }
    store.ensurePartitions(at(2026, 2));
    try (ExecutorService writers = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<?>> writing = new ArrayList<>();
      for (int writer = 0; writer < 3; writer++) {
        List<LedgerEntry> own = new ArrayList<>();
        for (UUID id : ids) {
          for (Rank rank : Rank.values()) {
            String user = "user-" + Math.floorMod(id.hashCode(), 4);
            own.add(
                entry(
                    id,
                    rank,
                    user,
                    attempt(1, rank.number(), rank == Rank.EXACT ? "0.000000000007" : null)));
          }
        }
        Collections.shuffle(own, random);
        int size = 1 + random.nextInt(60);
        writing.add(
            writers.submit(
                () -> {
                  for (int from = 0; from < own.size(); from += size) {
                    store.write(own.subList(from, Math.min(own.size(), from + size)));
                  }
                }));
      }
      for (Future<?> it : writing) {
        it.get();
      }
    }
    assertThat(entries()).hasSize(120).allSatisfy(it -> assertThat(it).containsEntry("rank", "3"));
    Totals.check(server);
    store.ensurePartitions(at(2026, 3)); // moves rows
    Totals.check(server);
    while (database.execute(UserEntries.pseudonymise("user-1", "erased", 10)) > 0) {
      Totals.check(server);
    }
    assertThat(server.rows("SELECT 1 AS x FROM ledger_totals WHERE scope_id = 'user-1'")).isEmpty();
  }

  @Test
  void anOldPartitionIsDroppedAndItsTotalsStay() throws Exception {
    store.ensurePartitions(at(2024, 1));
    store.ensurePartitions(at(2024, 2));
    store.write(
        List.of(
            entry(LedgerEntries.at(at(2023, 12)).id(), Rank.EXACT, "ann", attempt(1, 1, "1")),
            entry(LedgerEntries.at(at(2024, 1)).id(), Rank.EXACT, "ann", attempt(1, 1, "1")),
            entry(LedgerEntries.at(at(2024, 2)).id(), Rank.EXACT, "ann", attempt(1, 1, "1"))));
    List<Map<String, String>> totals = totals();

    Partitions.drop(store, Partitions.oldest(Instant.parse("2024-04-01T00:00:00Z"), 2));

    assertThat(partitions("ledger_entries")).containsExactly("ledger_entries_2024_02");
    assertThat(partitions("ledger_attempts")).containsExactly("ledger_attempts_2024_02");
    assertThat(totals()).isEqualTo(totals);
    store.write(
        List.of(entry(LedgerEntries.at(at(2024, 1)).id(), Rank.EXACT, "ann", attempt(1, 1, "1"))));
    assertThat(server.rows("SELECT sum(calls) AS x FROM ledger_totals WHERE scope = 'all'"))
        .as("a late one counts once")
        .containsExactly(Map.of("x", "4"));
  }

  private static List<Map<String, String>> totals() throws SQLException {
    return server.rows("SELECT * FROM ledger_totals ORDER BY scope, scope_id, day");
  }

  @Test
  void oneReplicaAtATimeDropsPartitions() throws Exception {
    store.ensurePartitions(at(2021, 1));
    try (Connection other = server.connect();
        Statement statement = other.createStatement()) {
      other.setAutoCommit(false);
      statement.execute("SELECT pg_advisory_xact_lock(hashtext('ledger_retention'))");
      assertThat(store.dropPartition(at(2022, 1))).isNull();
      other.commit();
      assertThat(store.dropPartition(at(2022, 1))).isEqualTo("ledger_attempts_2021_01");
      statement.execute("SELECT * FROM ledger_entries"); // and goes on for hours
      assertThatThrownBy(() -> store.dropPartition(at(2022, 1)))
          .as("does not hold up traffic")
          .satisfies(it -> assertThat(Database.isAway(it)).isTrue());
      other.rollback();
    }
    assertThat(store.dropPartition(at(2022, 1))).isEqualTo("ledger_entries_2021_01");
    assertThat(store.dropPartition(at(2022, 1))).isNull();
  }

  @Test
  void movesRowsFromTheDefaultPartitionToALatePartition() throws Exception {
    store.write(
        List.of(
            entry(LedgerEntries.at(at(2031, 3)).id(), Rank.EXACT, "ann", attempt(1, 1, "1")),
            entry(LedgerEntries.at(at(2031, 4)).id(), Rank.EXACT, "ann", attempt(1, 1, "1"))));
    store.ensurePartitions(at(2031, 3));
    store.ensurePartitions(at(2031, 3)); // exist already
    assertThat(partitions("ledger_entries"))
        .containsExactlyInAnyOrder("ledger_entries_2031_03", "ledger_entries_default");
    assertThat(partitions("ledger_attempts"))
        .containsExactlyInAnyOrder("ledger_attempts_2031_03", "ledger_attempts_default");
    Totals.check(server);
  }

  @Test
  void partitionsByMonthInUtc() throws Exception {
    store.ensurePartitions(at(2032, 5));
    for (String time :
        List.of(
            "2032-04-30T23:59:59.999Z",
            "2032-05-01T00:00:00Z",
            "2032-05-31T23:59:59.999Z",
            "2032-06-01T00:00:00Z")) {
      store.write(List.of(entry(LedgerEntries.at(Instant.parse(time)).id(), Rank.EXACT, "ann")));
    }
    assertThat(partitions("ledger_entries"))
        .containsExactlyInAnyOrder(
            "ledger_entries_2032_05",
            "ledger_entries_2032_05",
            "ledger_entries_default",
            "ledger_entries_default");
  }

  @Test
  void theIdentityIsTheServersAndItsTimeline() {
    assertThat(store.identity()).matches("[0-9]+/[0-9A-F]{8}");
    assertThat(store.write(List.of(entry(UuidV7.next(), Rank.EXACT, "ann"))))
        .isEqualTo(store.identity());
  }
}
