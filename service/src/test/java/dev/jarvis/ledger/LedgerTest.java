package dev.jarvis.ledger;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.jarvis.error.ApiException;
import dev.jarvis.gateway.Account;
import dev.jarvis.gateway.LedgerEntry;
import dev.jarvis.gateway.Rank;
import dev.jarvis.gateway.Settlement;
import dev.jarvis.gateway.TargetName;
import dev.jarvis.ledger.spool.Spool;
import dev.jarvis.storage.Recorded;
import dev.jarvis.telemetry.Metric;
import dev.jarvis.telemetry.Telemetry;
import io.helidon.dbclient.DbClientException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The ledger with a table that can be slow or fail, or be another one. */
@Timeout(120)
class LedgerTest {
  private static final Duration LIMIT = Duration.ofSeconds(20);

  private final Map<UUID, LedgerEntry> rows = new ConcurrentHashMap<>();
  private volatile String identity = "1/00000001";
  @TempDir private Path folder;
  private Telemetry telemetry;

  @BeforeEach
  void start() {
    telemetry = Recorded.start();
  }

  @AfterEach
  void stop() {
    telemetry.close();
  }

  /** Something that may fail before entries are written. */
  private interface Check {
    void accept(Collection<LedgerEntry> entries);
  }

  private Ledger ledger(Check before) throws IOException {
    Spool spool =
        Spool.open(folder, Spool.Limits.of(1 << 20, Duration.ofDays(1)), InstantSource.system());
    Ledger ledger =
        new Ledger(
            spool,
            new EntryWriter.Table() {
              @Override
              public String write(Collection<LedgerEntry> entries) {
                before.accept(entries);
                entries.forEach(it -> rows.put(it.id(), it));
                return identity;
              }

              @Override
              public String identity() {
                return identity;
              }
            },
            telemetry.instruments());
    ledger.start();
    return ledger;
  }

  private Ledger ledger() throws IOException {
    return ledger(entries -> {});
  }

  private static DbClientException failure(String state) {
    return new DbClientException("insert", new SQLException("failed", state));
  }

  private static void assertRows(long ok, long error, long dropped) {
    await()
        .atMost(LIMIT)
        .untilAsserted(
            () -> {
              assertThat(Recorded.value(Metric.LEDGER_ROWS, "ok")).hasValue(ok);
              assertThat(Recorded.value(Metric.LEDGER_ROWS, "error")).hasValue(error);
              assertThat(Recorded.value(Metric.LEDGER_ROWS, "dropped")).hasValue(dropped);
            });
  }

  private static List<LedgerEntry> settle(Ledger ledger, int count) {
    List<LedgerEntry> entries =
        IntStream.range(0, count).mapToObj(i -> LedgerEntries.at(Instant.now())).toList();
    entries.forEach(ledger::settle);
    return entries;
  }

  @Test
  void showsEverySeriesFromTheStart() throws Exception {
    try (Ledger ledger = ledger()) {
      assertRows(0, 0, 0);
      assertThat(Recorded.value(Metric.LEDGER_RECOVERED_CALLS, "owner")).hasValue(0L);
      assertThat(Recorded.value(Metric.LEDGER_REPLAYS)).hasValue(0L);
      assertThat(Recorded.value(Metric.LEDGER_SPOOL_FAILING)).hasValue(0L);
      assertThat(ledger.spoolIsNew()).isTrue();
    }
  }

  @Test
  void tellsWhichCallsAreWritten() throws Exception {
    List<UUID> told = new ArrayList<>();
    try (Ledger ledger = ledger()) {
      ledger.onConfirmed(told::addAll);
      List<LedgerEntry> entries = settle(ledger, 3);
      await().atMost(LIMIT).until(() -> told.size() == 3);
      assertThat(told).containsExactlyElementsOf(entries.stream().map(LedgerEntry::id).toList());
      assertThat(rows.values()).containsExactlyInAnyOrderElementsOf(entries);
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "08006",
        "53300",
        "57P03",
        "57014", // unavailable, full, starting, too slow
        "25006",
        "40P01",
        "40001",
        "55P03", // read-only, deadlock, conflict, lock
        "42P01",
        "42501", // an administrator can mend it
        "XX000",
        "58030" // the row is not known to be at fault
      })
  void entriesWaitWhileTheDatabaseTakesNone(String state) throws Exception {
    AtomicInteger away = new AtomicInteger(3);
    try (Ledger ledger =
        ledger(
            entries -> {
              if (away.decrementAndGet() >= 0) {
                throw failure(state);
              }
            })) {
      List<LedgerEntry> entries = settle(ledger, 1);
      assertRows(1, 0, 0);
      assertThat(rows.values()).containsExactlyElementsOf(entries);
    }
  }

  @Test
  void survivesAnError() throws Exception {
    AtomicInteger broken = new AtomicInteger(2);
    try (Ledger ledger =
        ledger(
            entries -> {
              if (broken.decrementAndGet() >= 0) {
                throw new NoClassDefFoundError("driver");
              }
            })) {
      settle(ledger, 6);
      assertRows(6, 0, 0);
    }
  }

  /** All others of the batch are written. */
  @ParameterizedTest
  @ValueSource(strings = {"22001", "23514", ""})
  void anEntryThatIsRejectedIsKeptInAFile(String state) throws Exception {
    LedgerEntry bad = LedgerEntries.at(Instant.now());
    CountDownLatch go = new CountDownLatch(1);
    try (Ledger ledger =
        ledger(
            entries -> {
              awaitFor(go);
              if (entries.contains(bad)) {
                throw state.isEmpty() ? new IllegalStateException("a bug") : failure(state);
              }
            })) {
      settle(ledger, 10);
      ledger.settle(bad);
      settle(ledger, 10);
      go.countDown();
      assertRows(20, 1, 0);
    }
    assertThat(Files.readString(folder.resolve(Rejected.FILE), UTF_8))
        .contains(bad.id().toString())
        .hasLineCount(1);
    assertThat(rows).hasSize(20).doesNotContainKey(bad.id());
  }

  @Test
  void whatTheDatabaseDoesNotTakeIsWrittenByTheNextProcess() throws Exception {
    List<LedgerEntry> entries;
    try (Ledger ledger =
        ledger(
            batch -> {
              throw failure("08001");
            })) {
      entries = settle(ledger, 50);
    }
    assertThat(rows).isEmpty();
    try (Ledger ledger = ledger()) {
      assertThat(ledger.known()).containsAll(entries.stream().map(LedgerEntry::id).toList());
      assertThat(ledger.spoolIsNew()).isFalse();
      await().atMost(LIMIT).until(() -> rows.size() == 50);
      assertThat(rows.values()).containsExactlyInAnyOrderElementsOf(entries);
    }
  }

  @Test
  void writesWhatWaitsWhenItCloses() throws Exception {
    try (Ledger ledger = ledger()) {
      settle(ledger, 1_200);
    }
    assertThat(rows).hasSize(1_200);
  }

  @Test
  void closesAlthoughTheDatabaseHangs() throws Exception {
    CountDownLatch never = new CountDownLatch(1);
    try (Ledger ledger = ledger(entries -> awaitFor(never))) {
      settle(ledger, 5);
    }
    try (Ledger ledger = ledger()) {
      await().atMost(LIMIT).until(() -> rows.size() == 5);
      assertThat(ledger.spoolIsNew()).isFalse();
    }
  }

  @Test
  void anotherDatabaseGetsAllEntriesThatAreKept() throws Exception {
    try (Ledger ledger = ledger()) {
      settle(ledger, 20);
      assertRows(20, 0, 0);
      rows.clear();
      identity = "1/00000002"; // a standby that had none of them
      settle(ledger, 1);
      await().atMost(LIMIT).until(() -> rows.size() == 21);
      assertThat(Recorded.value(Metric.LEDGER_REPLAYS)).hasValue(1L);
    }
    rows.clear();
    identity = "2/00000001";
    try (Ledger ledger = ledger()) {
      assertThat(ledger.spoolIsNew()).isFalse();
      await().atMost(Duration.ofSeconds(40)).until(() -> rows.size() == 21); // without a new call
    }
  }

  @Test
  void aCallThatWasCutOffIsSettledByAnEstimateIfAModelWasAsked() throws Exception {
    Spool spool =
        Spool.open(folder, Spool.Limits.of(1 << 20, Duration.ofDays(1)), InstantSource.system());
    Intents intents = new Intents();
    Intents.Opened asked = intents.open(spool);
    Intents.Opened inStream = intents.open(spool);
    Intents.Opened before = intents.open(spool);
    asked.account().attempt(Intents.TARGET, List.of());
    inStream.account().attempt(Intents.TARGET, List.of());
    spool.checkpoint(inStream.id(), Intents.checkpoint(inStream.id(), 7));
    spool.close();

    try (Ledger ledger = ledger()) {
      Settlement settlement =
          new Settlement(
              telemetry.instruments(),
              Intents.PRICING,
              it -> it,
              it -> LocalDate.EPOCH,
              ledger::settle);
      ledger.recover(Intents.PRICING, settlement::recover);
      await().atMost(LIMIT).until(() -> rows.size() == 2);
      LedgerEntry estimate = Objects.requireNonNull(rows.get(asked.id()));
      assertThat(estimate.rank()).isEqualTo(Rank.ESTIMATED);
      assertThat(estimate.usage().outputTokens()).isEqualTo(Intents.EXPECTED.outputTokens());
      LedgerEntry cutOff = Objects.requireNonNull(rows.get(inStream.id()));
      assertThat(cutOff.usage().outputTokens()).isEqualTo(7);
      assertThat(rows).doesNotContainKey(before.id());
      assertThat(Recorded.value(Metric.LEDGER_RECOVERED_CALLS, "owner")).hasValue(2L);
      TargetName target = Intents.TARGET;
      assertThat(Recorded.value(Metric.LLM_REQUESTS, target.model(), target.provider(), "error"))
          .hasValue(2L);
    }
    try (Ledger ledger = ledger()) {
      ledger.recover(
          Intents.PRICING,
          it -> {
            throw new AssertionError("settled twice");
          });
      assertThat(Recorded.value(Metric.LEDGER_RECOVERED_CALLS, "owner")).hasValue(2L);
    }
  }

  @Test
  void refusesNewCallsWhenTheSpoolIsFullAndSettlesThoseThatRun() throws Exception {
    Intents intents = new Intents();
    AtomicInteger away = new AtomicInteger(1);
    try (Ledger ledger =
        ledger(
            entries -> {
              if (away.get() > 0) {
                throw failure("08001");
              }
            })) {
      List<UUID> running = new ArrayList<>();
      assertThatThrownBy(
              () -> {
                while (true) {
                  LedgerEntry entry = LedgerEntries.at(Instant.now());
                  Account account = ledger.open(intents.of(entry.id()), false);
                  account.attempt(Intents.TARGET, List.of());
                  running.add(entry.id());
                }
              })
          .isInstanceOf(ApiException.LedgerFull.class)
          .hasMessageContaining("ledger.spool-max");
      running.forEach(id -> ledger.settle(LedgerEntries.of(id, LedgerEntries.attempt())));
      away.set(0);
      await().atMost(LIMIT).until(() -> rows.size() == running.size());
      Account again = ledger.open(intents.of(LedgerEntries.at(Instant.now()).id()), true);
      again.settle(null);
      assertRows(running.size(), 0, 0);
    }
  }

  private static void awaitFor(CountDownLatch latch) {
    try {
      if (!latch.await(60, TimeUnit.SECONDS)) {
        throw new IllegalStateException("the test did not end");
      }
    } catch (InterruptedException e) {
      throw new DbClientException("interrupted", new SQLException("interrupted", "57014"));
    }
  }
}
