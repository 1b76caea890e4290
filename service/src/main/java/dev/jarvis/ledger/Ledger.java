package dev.jarvis.ledger;

import dev.failsafe.Failsafe;
import dev.failsafe.RetryPolicy;
import dev.jarvis.error.OutOfMemory;
import dev.jarvis.gateway.LedgerEntry;
import dev.jarvis.storage.Database;
import dev.jarvis.telemetry.Instruments;
import dev.jarvis.telemetry.Metric;
import dev.jarvis.telemetry.Telemetry;
import io.opentelemetry.context.Context;
import io.opentelemetry.context.Scope;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Writes ledger entries to the database in the background: a bounded queue and two writers. While
 * the database is unavailable or read-only, rows wait in the queue. A row is lost, and counted in
 * {@code ledger_rows_total}, if the database rejects its content or the queue is full.
 */
public final class Ledger implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Ledger.class);
  private static final int QUEUE_LIMIT = 10_000;
  private static final int WRITERS = 2;
  private static final Duration DRAIN_LIMIT = Duration.ofSeconds(2);
  private static final Duration POLL = Duration.ofMillis(50);
  private static final Duration FIRST_PAUSE = Duration.ofMillis(200);
  private static final Duration LONGEST_PAUSE = Duration.ofSeconds(10);

  private record Row(LedgerEntry entry, Context context) {}

  private final Consumer<LedgerEntry> insert;
  private final Instruments instruments;
  private final AutoCloseable partitions;
  private final BlockingQueue<Row> queue;
  private final List<Thread> writers = new ArrayList<>();
  private final AtomicBoolean failing = new AtomicBoolean();
  private final AtomicBoolean dropping = new AtomicBoolean();
  private volatile boolean closed;

  /**
   * Retries until the database has written the row, unless it never will. Safe: inserts are
   * idempotent by id.
   */
  private final RetryPolicy<Object> untilWritten =
      RetryPolicy.builder()
          .handleIf(e -> !closed && Database.mayRetry(e))
          .withBackoff(FIRST_PAUSE, LONGEST_PAUSE)
          .withMaxRetries(-1)
          .onFailedAttempt(event -> failed(event.getLastException()))
          .build();

  /** Creates the partitions for this month and the next, then starts the writers. */
  public Ledger(Database database, Telemetry telemetry) {
    this(new LedgerEntryStore(database), telemetry.instruments());
  }

  private Ledger(LedgerEntryStore store, Instruments instruments) {
    this(store::insert, instruments, QUEUE_LIMIT, Partitions.keep(store));
    instruments.add(
        Metric.DB_CLIENT_OPERATION_ERRORS, 0, "postgresql", LedgerEntryStore.INSERT_NAME);
  }

  /**
   * @param insert writes a row or throws
   * @param partitions closed with the ledger
   */
  Ledger(
      Consumer<LedgerEntry> insert,
      Instruments instruments,
      int queueLimit,
      AutoCloseable partitions) {
    this.insert = insert;
    this.instruments = instruments;
    this.partitions = partitions;
    this.queue = new ArrayBlockingQueue<>(queueLimit);
    for (Result result : Result.values()) {
      count(result, 0);
    }
    for (int i = 0; i < WRITERS; i++) {
      writers.add(Thread.ofVirtual().name("ledger-writer-" + i).start(this::write));
    }
  }

  /** What became of a row: the label {@code result} of {@code ledger_rows_total}. */
  private enum Result {
    OK,
    ERROR,
    DROPPED
  }

  private void count(Result result, int rows) {
    instruments.add(Metric.LEDGER_ROWS, rows, result.name().toLowerCase(java.util.Locale.ROOT));
  }

  /**
   * Queues an entry to be written, its span as a child of the current one. Never waits and never
   * throws; if the queue is full, the entry is dropped.
   */
  public void record(LedgerEntry entry) {
    Row row = new Row(entry, Context.current());
    // a row that was queued while the ledger closed is removed again, unless a writer has taken it
    if (!closed && queue.offer(row) && !(closed && queue.remove(row))) {
      if (dropping.compareAndSet(true, false)) {
        LOG.info("the ledger's queue has room again: ledger entries are written");
      }
      return;
    }
    count(Result.DROPPED, 1);
    if (dropping.compareAndSet(false, true)) {
      LOG.atWarn()
          .addKeyValue("queued", queue.size())
          .log("the ledger's queue is full or closed: ledger entries are lost");
    }
  }

  private void write() {
    try {
      while (!closed || !queue.isEmpty()) {
        Row row = queue.poll(POLL.toMillis(), TimeUnit.MILLISECONDS);
        if (row != null) {
          write(row);
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt(); // close() counts what is left
    }
  }

  private void write(Row row) {
    try (Scope ignored = row.context().makeCurrent()) {
      Failsafe.with(untilWritten).run(() -> insert.accept(row.entry()));
      count(Result.OK, 1);
      if (failing.compareAndSet(true, false)) {
        LOG.info("ledger entries are written again");
      }
    } catch (RuntimeException | Error e) { // an Error would end the writer
      count(Result.ERROR, 1);
      failed(e);
    }
  }

  private void failed(Throwable e) {
    OutOfMemory.endProcessIf(e);
    if (failing.compareAndSet(false, true)) {
      LOG.atWarn()
          .addKeyValue("error", e.getMessage())
          .setCause(e)
          .log(
              Database.mayRetry(e)
                  ? "ledger entries wait for the database"
                  : "ledger entries cannot be written and are lost");
    }
  }

  /** Accepts no more entries, and waits up to two seconds until the queued ones are written. */
  @Override
  public void close() throws Exception {
    closed = true;
    long deadline = System.nanoTime() + DRAIN_LIMIT.toNanos();
    for (Thread writer : writers) {
      writer.join(Duration.ofNanos(Math.max(0, deadline - System.nanoTime())));
    }
    List<Row> left = new ArrayList<>();
    queue.drainTo(left); // before the interrupt, so that no writer takes another row
    writers.forEach(Thread::interrupt);
    if (!left.isEmpty()) {
      count(Result.DROPPED, left.size());
      LOG.atWarn().addKeyValue("rows", left.size()).log("ledger entries are lost at shutdown");
    }
    partitions.close();
  }
}
