package dev.jarvis.ledger;

import dev.jarvis.error.ApiException;
import dev.jarvis.gateway.Account;
import dev.jarvis.gateway.Checkpoint;
import dev.jarvis.gateway.Estimates;
import dev.jarvis.gateway.Intent;
import dev.jarvis.gateway.LedgerEntry;
import dev.jarvis.gateway.LedgerJson;
import dev.jarvis.gateway.Rank;
import dev.jarvis.gateway.Settlement;
import dev.jarvis.ledger.spool.Spool;
import dev.jarvis.ledger.spool.SpoolFull;
import dev.jarvis.storage.Database;
import dev.jarvis.telemetry.Instruments;
import dev.jarvis.telemetry.Metric;
import dev.jarvis.telemetry.Telemetry;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps account of every call to a model. What a call will use is written to the spool before a
 * model is asked, what it used when it has ended, and from there to PostgreSQL. So a killed process
 * and a database that is away lose no entry. Thread-safe.
 */
public final class Ledger implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Ledger.class);
  private static final Duration FLUSH_LIMIT = Duration.ofSeconds(5);
  private static final Duration DURABLE_LIMIT = Duration.ofSeconds(5);

  private final Spool spool;
  private final Set<UUID> voided = ConcurrentHashMap.newKeySet();
  private final Instruments instruments;
  private final List<Consumer<Collection<UUID>>> listeners = new CopyOnWriteArrayList<>();
  private final List<AutoCloseable> parts = new ArrayList<>();
  private final EntryWriter writer;
  private final AtomicBoolean dropping = new AtomicBoolean();

  /**
   * Opens the spool and makes the partitions for this month and the next two.
   *
   * @throws IOException if the spool's folder cannot be used, or belongs to another process
   */
  public static Ledger open(LedgerConfig config, Path home, Database database, Telemetry telemetry)
      throws IOException {
    Path folder = config.spool() == null ? home.resolve("spool") : config.spool();
    Spool spool =
        Spool.open(
            folder, Spool.Limits.of(config.spoolMax(), config.spoolKeep()), InstantSource.system());
    LedgerEntryStore store = new LedgerEntryStore(database);
    Instruments instruments = telemetry.instruments();
    instruments.add(
        Metric.DB_CLIENT_OPERATION_ERRORS, 0, "postgresql", LedgerEntryStore.INSERT_NAME);
    Ledger ledger = new Ledger(spool, store, instruments);
    ledger.parts.add(Partitions.keep(store, config.retention()));
    return ledger;
  }

  Ledger(Spool spool, EntryWriter.Table table, Instruments instruments) {
    this.spool = spool;
    this.instruments = instruments;
    this.writer = new EntryWriter(spool, table, instruments, this::confirmed);
    for (EntryResult result : EntryResult.values()) {
      result.count(instruments, 0);
    }
    for (String by : List.of("owner", "other")) {
      instruments.add(Metric.LEDGER_RECOVERED_CALLS, 0, by);
    }
    instruments.add(Metric.LEDGER_REPLAYS, 0);
    parts.add(instruments.gauge(Metric.LEDGER_SPOOL, spool::bytes));
    parts.add(instruments.gauge(Metric.LEDGER_SPOOL_RECORDS, spool::unconfirmed));
    parts.add(instruments.gauge(Metric.LEDGER_SPOOL_AGE, () -> spool.waiting().toSeconds()));
    parts.add(instruments.gauge(Metric.LEDGER_SPOOL_FAILING, () -> spool.failing() ? 1 : 0));
    parts.add(instruments.gauge(Metric.LEDGER_QUARANTINED_SEGMENTS, spool::quarantined));
  }

  /** Begins to write what the spool holds to PostgreSQL; to be called once. */
  public void start() {
    writer.start();
  }

  private void confirmed(Collection<UUID> calls) {
    for (Consumer<Collection<UUID>> listener : listeners) {
      try {
        listener.accept(calls);
      } catch (RuntimeException e) {
        LOG.atWarn().setCause(e).log("a listener of the ledger failed");
      }
    }
  }

  /** Has a listener told which calls' entries are in PostgreSQL, perhaps more than once. */
  public void onConfirmed(Consumer<Collection<UUID>> listener) {
    listeners.add(listener);
  }

  /** A name of this replica that stays as long as its spool does. */
  public String replicaId() {
    return spool.replicaId();
  }

  /**
   * The calls of which the spool had a record at the start; after {@link #recover} without those
   * that never reached a model.
   */
  public Set<UUID> known() {
    Set<UUID> known = new HashSet<>(spool.recovered().known());
    known.removeAll(voided);
    return known;
  }

  /**
   * Whether the spool may lack records of calls that this replica began: it is new, was damaged, or
   * its machine stopped.
   */
  public boolean spoolIsNew() {
    return !spool.recovered().complete();
  }

  /**
   * Settles the calls that the previous process with this spool did not: by an estimate if a model
   * had been asked. To be called once, before new calls begin.
   *
   * @param settle counts an entry and gives it to {@link #settle}
   */
  public void recover(Settlement.Pricing pricing, Consumer<LedgerEntry> settle) {
    for (Spool.Unfinished call : spool.recovered().unfinished()) {
      byte[] checkpoint = call.checkpoint();
      if (call.attempt() == null) {
        spool.voided(call.id());
        voided.add(call.id());
        continue;
      }
      try {
        Intent intent = LedgerJson.read(call.intent(), Intent.class);
        @Nullable Checkpoint last =
            checkpoint == null ? null : LedgerJson.read(checkpoint, Checkpoint.class);
        settle.accept(Estimates.entry(intent, last, Rank.ESTIMATED, pricing));
      } catch (IOException | RuntimeException e) {
        LOG.atError()
            .addKeyValue("call_id", call.id())
            .setCause(e)
            .log("a call of the previous process cannot be settled");
      }
    }
  }

  /**
   * Writes down that a model will be asked.
   *
   * @param durable whether it must be on the disk before this returns
   * @return the account of the call, which must be settled
   * @throws ApiException.LedgerFull if it cannot be written down
   */
  public Account open(Intent intent, boolean durable) {
    try {
      long ticket = spool.intent(intent.callId(), LedgerJson.write(intent));
      if (durable && !isDurable(ticket)) {
        spool.voided(intent.callId());
        throw new ApiException.LedgerFull(
            "The ledger's disk did not take the request within %d s."
                .formatted(DURABLE_LIMIT.toSeconds()));
      }
    } catch (SpoolFull e) {
      throw new ApiException.LedgerFull(String.valueOf(e.getMessage()));
    }
    return new SpooledCall(spool, intent.callId());
  }

  private boolean isDurable(long ticket) {
    try {
      return spool.awaitDurable(ticket, DURABLE_LIMIT);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }

  /**
   * Takes the entry of a call that has ended, also of one without an intent. Never waits for the
   * database and never throws.
   */
  public void settle(LedgerEntry entry) {
    try {
      spool.settled(entry.id(), LedgerJson.write(entry));
      if (dropping.compareAndSet(true, false)) {
        LOG.info("the ledger has room again");
      }
    } catch (RuntimeException e) { // of calls without an intent: answers from the cache
      EntryResult.DROPPED.count(instruments, 1);
      if (dropping.compareAndSet(false, true)) {
        LOG.atWarn()
            .addKeyValue("error", e.getMessage())
            .log("the ledger has no room: entries are lost");
      }
    }
  }

  /** Writes what waits, within a limit; what PostgreSQL does not take stays in the spool. */
  @Override
  public void close() throws Exception {
    try {
      writer.close(FLUSH_LIMIT);
    } finally {
      for (AutoCloseable part : parts) {
        part.close();
      }
      spool.close();
    }
  }
}
