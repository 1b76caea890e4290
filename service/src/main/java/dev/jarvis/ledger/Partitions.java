package dev.jarvis.ledger;

import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps partitions for this month and the next. Without them nothing fails, because the default
 * partition takes the rows; they are moved when a later attempt succeeds.
 */
final class Partitions implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Partitions.class);
  private static final Duration PERIOD = Duration.ofDays(1);
  private static final Duration RETRY_PERIOD = Duration.ofMinutes(10);

  private final LedgerEntryStore store;
  private final CountDownLatch closed = new CountDownLatch(1);

  private Partitions(LedgerEntryStore store) {
    this.store = store;
  }

  /** Creates the partitions now, and checks them once a day. */
  static Partitions keep(LedgerEntryStore store) {
    Partitions partitions = new Partitions(store);
    boolean made = partitions.ensure(Instant.now());
    Thread.ofVirtual().name("ledger-partitions").start(() -> partitions.loop(made));
    return partitions;
  }

  private void loop(boolean first) {
    boolean made = first;
    try {
      while (!closed.await((made ? PERIOD : RETRY_PERIOD).toSeconds(), TimeUnit.SECONDS)) {
        made = ensure(Instant.now());
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private boolean ensure(Instant now) {
    try {
      store.ensurePartition(now);
      store.ensurePartition(now.atOffset(ZoneOffset.UTC).plusMonths(1).toInstant());
      return true;
    } catch (RuntimeException e) {
      LOG.atWarn()
          .addKeyValue("error", e.getMessage())
          .setCause(e)
          .log("a monthly partition of llm_requests cannot be created; the default one is used");
      return false;
    }
  }

  @Override
  public void close() {
    closed.countDown();
  }
}
