package dev.jarvis.ledger;

import java.time.Duration;
import java.time.Instant;
import java.time.YearMonth;
import java.time.ZoneOffset;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps partitions for this month and the next two, and drops those that are older than entries are
 * kept. Without the former nothing fails, because the default partitions take the rows; they are
 * moved when a later attempt succeeds.
 */
final class Partitions implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Partitions.class);
  private static final Duration PERIOD = Duration.ofDays(1);
  private static final Duration RETRY_PERIOD = Duration.ofMinutes(10);
  private static final int AHEAD = 2;
  private static final int DELETED_AT_ONCE = 1_000;

  private final LedgerEntryStore store;
  private final int retention;
  private final CountDownLatch closed = new CountDownLatch(1);

  private Partitions(LedgerEntryStore store, int retention) {
    this.store = store;
    this.retention = retention;
  }

  /**
   * Creates the partitions now, and checks them once a day.
   *
   * @param retention in months; 0 for ever
   */
  static Partitions keep(LedgerEntryStore store, int retention) {
    Partitions partitions = new Partitions(store, retention);
    boolean made = partitions.ensure(Instant.now());
    Thread.ofVirtual().name("ledger-partitions").start(() -> partitions.loop(made));
    return partitions;
  }

  private void loop(boolean first) {
    boolean done = first && drop(Instant.now());
    try {
      while (!closed.await((done ? PERIOD : RETRY_PERIOD).toSeconds(), TimeUnit.SECONDS)) {
        Instant now = Instant.now();
        boolean made = ensure(now);
        done = drop(now) && made;
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private boolean ensure(Instant now) {
    try {
      for (int month = 0; month <= AHEAD; month++) {
        store.ensurePartitions(now.atOffset(ZoneOffset.UTC).plusMonths(month).toInstant());
      }
      return true;
    } catch (RuntimeException e) {
      failed(e, "a monthly partition of the ledger cannot be created; the default one is used");
      return false;
    }
  }

  private boolean drop(Instant now) {
    if (retention == 0) {
      return true;
    }
    try {
      drop(store, oldest(now, retention));
      return true;
    } catch (RuntimeException e) {
      failed(e, "old entries of the ledger cannot be deleted yet");
      return false;
    }
  }

  /** The beginning of the oldest month that is kept. */
  static Instant oldest(Instant now, int retention) {
    return YearMonth.from(now.atOffset(ZoneOffset.UTC))
        .minusMonths(retention)
        .atDay(1)
        .atStartOfDay(ZoneOffset.UTC)
        .toInstant();
  }

  static void drop(LedgerEntryStore store, Instant before) {
    for (String name = store.dropPartition(before);
        name != null;
        name = store.dropPartition(before)) {
      LOG.atInfo().addKeyValue("partition", name).log("a partition of the ledger was dropped");
    }
    for (String table : List.of("ledger_entries", "ledger_attempts")) {
      while (store.deleteFromDefault(table, before, DELETED_AT_ONCE) == DELETED_AT_ONCE) {
        // in pieces, so that no lock is held for long
      }
    }
  }

  private static void failed(RuntimeException e, String event) {
    LOG.atWarn().addKeyValue("error", e.getMessage()).setCause(e).log(event);
  }

  @Override
  public void close() {
    closed.countDown();
  }
}
