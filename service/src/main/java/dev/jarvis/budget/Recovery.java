package dev.jarvis.budget;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.jarvis.budget.RedisLeases.Claimed;
import dev.jarvis.gateway.Checkpoint;
import dev.jarvis.gateway.Estimates;
import dev.jarvis.gateway.Intent;
import dev.jarvis.gateway.LedgerEntry;
import dev.jarvis.gateway.LedgerJson;
import dev.jarvis.gateway.Rank;
import dev.jarvis.gateway.Settlement;
import java.io.IOException;
import java.math.BigDecimal;
import java.util.List;
import java.util.UUID;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Settles by an estimate the calls of replicas that are gone. Thread-safe. */
final class Recovery {
  private static final Logger LOG = LoggerFactory.getLogger(Recovery.class);

  private final OpenCalls calls;
  private final Reservations reservations;
  private final BaseRefresh bases;
  private final BudgetBook book;
  private final Zone zone;
  private final Settlement.Pricing pricing;
  private final Consumer<LedgerEntry> settlement;

  /**
   * @param settlement counts a recovered call and gives it to the ledger
   */
  Recovery(
      OpenCalls calls,
      Reservations reservations,
      BaseRefresh bases,
      BudgetBook book,
      Zone zone,
      Settlement.Pricing pricing,
      Consumer<LedgerEntry> settlement) {
    this.calls = calls;
    this.reservations = reservations;
    this.bases = bases;
    this.book = book;
    this.zone = zone;
    this.pricing = pricing;
    this.settlement = settlement;
  }

  /** Settles a call that was registered in Redis. */
  void settle(Claimed claimed) {
    settle(claimed.call(), claimed.intent(), claimed.checkpoint(), claimed.counters());
  }

  /** Settles a call that only PostgreSQL holds. */
  void settle(BudgetHolds.Orphan orphan) {
    settle(orphan.call(), orphan.intent(), "", null);
  }

  private void settle(
      UUID id, String intentJson, String checkpointJson, @Nullable List<CounterName> known) {
    Intent intent;
    Checkpoint checkpoint;
    try {
      intent = LedgerJson.read(intentJson.getBytes(UTF_8), Intent.class);
      checkpoint =
          checkpointJson.isEmpty()
              ? null
              : LedgerJson.read(checkpointJson.getBytes(UTF_8), Checkpoint.class);
    } catch (IOException e) { // of a release that this one cannot read
      LOG.atError()
          .setCause(e)
          .addKeyValue("call", id)
          .log("a call of a replica that is gone cannot be settled: its intent is not readable");
      return;
    }
    LedgerEntry entry = Estimates.entry(intent, checkpoint, Rank.RECOVERED, pricing);
    BigDecimal usd = entry.costUsd();
    List<CounterName> counters =
        known != null
            ? known
            : book.of(intent.origin()).stream()
                .map(it -> CounterName.of(it, intent.day(), zone))
                .toList();
    OpenCall call =
        new OpenCall(
            new Demand(id, intentJson, usd == null ? 0 : Nanos.of(usd), intent.day(), List.of()),
            counters);
    calls.add(call);
    settlement.accept(entry);
    if (known != null) {
      reservations.send(call);
    }
    bases.changed(counters);
    LOG.atInfo()
        .addKeyValue("call", id)
        .log("a call of a replica that is gone was settled by an estimate");
  }
}
