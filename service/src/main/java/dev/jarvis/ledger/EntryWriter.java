package dev.jarvis.ledger;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.jarvis.error.OutOfMemory;
import dev.jarvis.gateway.LedgerEntry;
import dev.jarvis.gateway.LedgerJson;
import dev.jarvis.ledger.spool.Spool;
import dev.jarvis.storage.Database;
import dev.jarvis.telemetry.Instruments;
import dev.jarvis.telemetry.Metric;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The thread that brings entries from the spool to the database. What the database cannot take now
 * stays in the spool; what it rejects is kept in a file.
 */
final class EntryWriter {
  private static final Logger LOG = LoggerFactory.getLogger(EntryWriter.class);
  private static final int BATCH = 500;
  private static final Duration IDLE = Duration.ofMillis(200);

  /** How often the database's identity is read while there is nothing to write. */
  private static final Duration COMPARISONS = Duration.ofSeconds(10);

  private static final Duration FIRST_PAUSE = Duration.ofMillis(200);
  private static final Duration LONGEST_PAUSE = Duration.ofSeconds(10);

  private final Spool spool;
  private final Table table;
  private final Instruments instruments;
  private final Consumer<Collection<UUID>> confirmed;
  private final Rejected rejected;
  private final Thread thread;
  private final CountDownLatch closing = new CountDownLatch(1);
  private final AtomicBoolean failing = new AtomicBoolean();
  private String identity;
  private Duration pause = FIRST_PAUSE;
  private long comparedAt = System.nanoTime();

  /** What entries are written to. */
  interface Table {
    /**
     * Writes all of them, or none.
     *
     * @return the identity of the database that has them
     * @throws RuntimeException if none is written
     */
    String write(Collection<LedgerEntry> entries);

    /** The identity of the database. */
    String identity();
  }

  @SuppressWarnings("ArrayRecordComponent") // compared by nobody
  private record Row(UUID id, byte[] json, LedgerEntry entry) {}

  /**
   * @param confirmed is told the calls whose entries need not be written again
   */
  EntryWriter(
      Spool spool, Table table, Instruments instruments, Consumer<Collection<UUID>> confirmed) {
    this.spool = spool;
    this.table = table;
    this.instruments = instruments;
    this.confirmed = confirmed;
    this.rejected = new Rejected(spool.folder());
    this.identity = new String(spool.identity(), UTF_8);
    this.thread = Thread.ofPlatform().daemon().name("ledger-writer").unstarted(this::run);
  }

  void start() {
    thread.start();
  }

  private void run() {
    try {
      while (closing.getCount() > 0 || (spool.unconfirmed() > 0 && !failing.get())) {
        if (!step() && closing.await(pause.toMillis(), TimeUnit.MILLISECONDS)) {
          return; // the rest stays in the spool
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Returns false if the database takes nothing now. */
  private boolean step() throws InterruptedException {
    try {
      Spool.Batch batch = spool.next(BATCH, closing.getCount() > 0 ? IDLE : Duration.ZERO);
      if (batch.entries().isEmpty()) {
        compareWhenDue();
      } else {
        confirm(batch, write(rows(batch)));
      }
      succeeded();
      return true;
    } catch (IOException | RuntimeException | Error e) { // an Error would end the writer
      failed(e);
      return false;
    }
  }

  private void confirm(Spool.Batch batch, String now) {
    if (compare(now)) {
      spool.confirmed(batch, now.getBytes(UTF_8));
      confirmed.accept(batch.entries().stream().map(Spool.Settled::id).toList());
    }
  }

  /** A failover is also noticed while no call ends. */
  private void compareWhenDue() {
    if (!identity.isEmpty() && System.nanoTime() - comparedAt > COMPARISONS.toNanos()) {
      compare(table.identity());
    }
  }

  /** Returns false if the database is another one, to which all that is kept goes again. */
  private boolean compare(String now) {
    boolean same = identity.isEmpty() || identity.equals(now);
    identity = now;
    comparedAt = System.nanoTime();
    if (!same) {
      LOG.warn("postgresql is another server: all ledger entries that are kept are written again");
      instruments.add(Metric.LEDGER_REPLAYS, 1);
      spool.rewind();
    }
    return same;
  }

  private List<Row> rows(Spool.Batch batch) throws IOException {
    List<Row> rows = new ArrayList<>();
    for (Spool.Settled it : batch.entries()) {
      try {
        rows.add(new Row(it.id(), it.entry(), LedgerJson.read(it.entry(), LedgerEntry.class)));
      } catch (IOException e) {
        reject(it.entry(), e);
      }
    }
    return rows;
  }

  /** If the rows are rejected, each half is tried, until the row at fault is found. */
  private String write(List<Row> rows) throws IOException {
    if (rows.isEmpty()) {
      return identity;
    }
    try {
      String now = table.write(rows.stream().map(Row::entry).toList());
      EntryResult.OK.count(instruments, rows.size());
      return now;
    } catch (RuntimeException e) {
      if (!isRowsFault(e)) {
        throw e;
      }
      if (rows.size() == 1) {
        reject(rows.getFirst().json(), e);
        return identity;
      }
      int half = rows.size() / 2;
      String first = write(rows.subList(0, half));
      String second = write(rows.subList(half, rows.size()));
      return second.equals(identity) ? first : second;
    }
  }

  /** Not a missing table or right: what an administrator can mend must not cost entries. */
  private static boolean isRowsFault(RuntimeException e) {
    return Database.isRejected(e)
        || (!Database.isAway(e) && !Database.mayRetry(e) && !Database.isDenied(e));
  }

  private void reject(byte[] json, Exception e) throws IOException {
    rejected.keep(json);
    EntryResult.ERROR.count(instruments, 1);
    LOG.atError()
        .addKeyValue("file", spool.folder().resolve(Rejected.FILE))
        .addKeyValue("error", e.getMessage())
        .log("postgresql rejects a ledger entry; it is kept in a file");
  }

  private void succeeded() {
    pause = FIRST_PAUSE;
    if (failing.compareAndSet(true, false)) {
      LOG.info("ledger entries are written again");
    }
  }

  private void failed(Throwable e) {
    OutOfMemory.endProcessIf(e);
    pause =
        pause.multipliedBy(2).compareTo(LONGEST_PAUSE) < 0 ? pause.multipliedBy(2) : LONGEST_PAUSE;
    if (failing.compareAndSet(false, true)) {
      LOG.atWarn()
          .addKeyValue("error", e.getMessage())
          .setCause(e)
          .log("ledger entries wait for the database");
    }
  }

  /** Writes what waits, as long as the database takes it, within a limit. */
  void close(Duration limit) throws InterruptedException {
    closing.countDown();
    if (thread.getState() == Thread.State.NEW) {
      return;
    }
    if (!thread.join(limit)) {
      thread.interrupt();
      boolean ended = thread.join(limit);
      LOG.atWarn()
          .addKeyValue("ended", ended)
          .addKeyValue("entries", spool.unconfirmed())
          .log("ledger entries stay in the spool until the next start");
    }
  }
}
