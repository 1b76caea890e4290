package dev.jarvis.ledger;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.jarvis.gateway.LedgerEntry;
import dev.jarvis.storage.Recorded;
import dev.jarvis.telemetry.Metric;
import dev.jarvis.telemetry.Telemetry;
import io.helidon.dbclient.DbClientException;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The ledger with a table that can be slow or fail. */
class LedgerTest {
  /** Much longer than the ledger's own limit of two seconds. */
  private static final Duration LIMIT = Duration.ofSeconds(20);

  private final List<LedgerEntry> table = new CopyOnWriteArrayList<>();
  private Telemetry telemetry;

  @BeforeEach
  void start() {
    telemetry = Recorded.start();
  }

  @AfterEach
  void stop() {
    telemetry.close();
  }

  private Ledger ledger(java.util.function.Consumer<LedgerEntry> insert, int queueLimit) {
    return new Ledger(insert, telemetry.instruments(), queueLimit, () -> {});
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

  @Test
  void showsEveryResultFromTheStart() throws Exception {
    try (Ledger ledger = ledger(table::add, 10)) {
      assertThat(ledger).isNotNull();
      assertRows(0, 0, 0);
    }
  }

  @Test
  void countsARowThatCannotBeWrittenAndWritesTheNext() throws Exception {
    LedgerEntry bad = LedgerEntries.at(Instant.now());
    try (Ledger ledger =
        ledger(
            entry -> {
              if (entry.equals(bad)) {
                throw new IllegalStateException("no table");
              }
              table.add(entry);
            },
            10)) {
      LedgerEntry good = LedgerEntries.at(Instant.now());
      ledger.record(bad);
      ledger.record(good);
      assertRows(1, 1, 0);
      assertThat(table).containsExactly(good);
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "08006", "53300", "57P03", "57014", // unavailable, full, starting, too slow
        "25006", "40P01", "40001", "55P03", // read-only, deadlock, conflict, lock
        "XX000", "58030" // the row is not known to be at fault
      })
  void retriesWhileTheDatabaseIsUnavailable(String state) throws Exception {
    AtomicInteger away = new AtomicInteger(3);
    try (Ledger ledger =
        ledger(
            entry -> {
              if (away.decrementAndGet() >= 0) {
                throw new DbClientException("insert", new SQLException("away", state));
              }
              table.add(entry);
            },
            10)) {
      LedgerEntry entry = LedgerEntries.at(Instant.now());
      ledger.record(entry);
      assertRows(1, 0, 0);
      assertThat(table).containsExactly(entry);
    }
  }

  @Test
  void survivesAnError() throws Exception {
    AtomicInteger broken = new AtomicInteger(5); // more than there are writers
    try (Ledger ledger =
        ledger(
            entry -> {
              if (broken.decrementAndGet() >= 0) {
                throw new NoClassDefFoundError("driver");
              }
              table.add(entry);
            },
            10)) {
      IntStream.range(0, 6).forEach(i -> ledger.record(LedgerEntries.at(Instant.now())));
      assertRows(1, 5, 0);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"22001", "23514", "42P01"})
  void doesNotRetryARejectedRow(String state) throws Exception {
    AtomicInteger asked = new AtomicInteger();
    try (Ledger ledger =
        ledger(
            entry -> {
              asked.incrementAndGet();
              throw new DbClientException("insert", new SQLException("refused", state));
            },
            10)) {
      ledger.record(LedgerEntries.at(Instant.now()));
      assertRows(0, 1, 0);
      assertThat(asked).hasValue(1);
    }
  }

  @Test
  void closesInTimeAndCountsLostRowsIfTheDatabaseIsUnavailable() throws Exception {
    Ledger ledger =
        ledger(
            entry -> {
              throw new DbClientException("insert", new SQLException("away", "08001"));
            },
            10);
    IntStream.range(0, 5).forEach(i -> ledger.record(LedgerEntries.at(Instant.now())));
    long start = System.nanoTime();
    ledger.close();
    assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(LIMIT);
    await()
        .atMost(LIMIT)
        .untilAsserted(
            () ->
                assertThat(
                        Recorded.value(Metric.LEDGER_ROWS, "error").orElse(0L)
                            + Recorded.value(Metric.LEDGER_ROWS, "dropped").orElse(0L))
                    .isEqualTo(5L));
    assertThat(Recorded.value(Metric.LEDGER_ROWS, "ok")).hasValue(0L);
  }

  @Test
  void dropsRowsWithoutWaitingIfTheQueueIsFull() throws Exception {
    CountDownLatch unblock = new CountDownLatch(1);
    CountDownLatch blocked = new CountDownLatch(2);
    try (Ledger ledger =
        ledger(
            entry -> {
              blocked.countDown();
              awaitFor(unblock);
              table.add(entry);
            },
            3)) {
      ledger.record(LedgerEntries.at(Instant.now()));
      ledger.record(LedgerEntries.at(Instant.now()));
      assertThat(blocked.await(20, TimeUnit.SECONDS)).isTrue(); // both writers hold a row

      long start = System.nanoTime();
      IntStream.range(0, 1_000).forEach(i -> ledger.record(LedgerEntries.at(Instant.now())));
      assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(LIMIT);
      assertRows(0, 0, 997);

      unblock.countDown();
      assertRows(5, 0, 997);
    }
  }

  @Test
  void writesQueuedRowsOnClose() throws Exception {
    Ledger ledger = ledger(table::add, 1_000);
    IntStream.range(0, 500).forEach(i -> ledger.record(LedgerEntries.at(Instant.now())));
    ledger.close();
    assertThat(table).hasSize(500);
  }

  @Test
  void closesInTimeAndCountsLostRowsIfTheTableStalls() throws Exception {
    CountDownLatch never = new CountDownLatch(1);
    Ledger ledger = ledger(entry -> awaitFor(never), 10);
    IntStream.range(0, 5).forEach(i -> ledger.record(LedgerEntries.at(Instant.now())));
    long start = System.nanoTime();
    ledger.close();
    assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(LIMIT);
    assertRows(0, 2, 3);

    ledger.record(LedgerEntries.at(Instant.now()));
    assertRows(0, 2, 4);
  }

  private static void awaitFor(CountDownLatch latch) {
    try {
      if (!latch.await(60, TimeUnit.SECONDS)) {
        throw new IllegalStateException("the test did not end");
      }
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }
}
