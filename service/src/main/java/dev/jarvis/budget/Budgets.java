package dev.jarvis.budget;

import dev.jarvis.gateway.CostForecast;
import dev.jarvis.gateway.LedgerEntry;
import dev.jarvis.gateway.Settlement;
import dev.jarvis.storage.Database;
import dev.jarvis.storage.Page;
import dev.jarvis.storage.Redis;
import dev.jarvis.storage.RedisGuard;
import dev.jarvis.telemetry.Instruments;
import dev.jarvis.telemetry.Metric;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The budgets of all calls, wired: the stages that check them, and what keeps their counters right.
 */
public final class Budgets implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Budgets.class);

  private final BudgetBook book;
  private final Zone zone;
  private final KnownUses uses;
  private final Refusals refusals;
  private final Reservations.Parts parts;
  private final Reservations reservations;
  private final Away away;
  private final Confirmations confirmations;
  private final RedisLeases leases;
  private final Timing timing;
  private final BudgetGauges near;
  private final List<AutoCloseable> gauges = new ArrayList<>();

  /**
   * How long things last.
   *
   * @param lease after which a replica is gone that has not renewed it
   * @param renewal the time between renewals; twice that is the grace in which all replicas notice
   *     and announce
   */
  record Timing(Duration lease, Duration renewal) {
    static final Timing DEFAULT = new Timing(Duration.ofSeconds(15), Duration.ofSeconds(5));

    Duration grace() {
      return renewal.multipliedBy(2);
    }
  }

  /**
   * What the replicas have in common.
   *
   * @param replica the name of this one, which no other has at the same time
   * @param maxReplicas how many there may be
   * @param redisTimeout how long a call waits for Redis
   */
  public record Replicas(String replica, int maxReplicas, Duration redisTimeout) {}

  /**
   * The times that budgets go by.
   *
   * @param redis milliseconds since the epoch, or empty for the time of Redis
   * @param own milliseconds since the epoch by this machine
   */
  record Clocks(Supplier<String> redis, LongSupplier own) {}

  public Budgets(
      BudgetConfig config,
      Replicas replicas,
      Redis redis,
      Database database,
      Instruments instruments) {
    this(
        config,
        replicas,
        redis,
        database,
        instruments,
        Timing.DEFAULT,
        new Clocks(() -> "", System::currentTimeMillis));
  }

  Budgets(
      BudgetConfig config,
      Replicas replicas,
      Redis redis,
      Database database,
      Instruments instruments,
      Timing timing,
      Clocks clocks) {
    this.zone = config.zone();
    this.timing = timing;
    this.book =
        new BudgetBook(
            () ->
                database.poll(
                    BudgetStore.list(
                        BudgetStore.Filter.ALL, new Page(null, true, BudgetBook.MAX_BUDGETS + 1))));
    this.uses = new KnownUses(clocks.own());
    this.refusals = new Refusals(zone, instruments);
    this.away = new Away(timing.grace(), clocks.own());
    RedisKeys keys = new RedisKeys(redis, clocks.redis());
    RedisGuard guard =
        new RedisGuard(
            replicas.redisTimeout(),
            () -> LOG.warn("budgets do not ask redis: it is unavailable"),
            () -> LOG.info("budgets ask redis again"));
    this.leases = new RedisLeases(keys, replicas.replica(), timing.lease());
    OpenCalls calls = new OpenCalls(clocks.own());
    Clock clock = new Clock(clocks.own());
    BaseRefresh bases = new BaseRefresh(new RedisBases(keys), guard, database, uses, away);
    this.parts =
        new Reservations.Parts(
            new RedisReservations(keys, replicas.replica(), zone, timing.grace()),
            guard,
            new SharedState(leases, guard, calls, bases, clock, timing.grace()),
            bases,
            new BudgetHolds(database, replicas.replica()),
            new BlindShares(
                uses, refusals, replicas.maxReplicas(), config.blindFor(), zone, clocks.own()),
            uses,
            calls,
            refusals,
            clock,
            zone,
            database);
    this.reservations = new Reservations(parts, away);
    this.confirmations = new Confirmations(parts.redis(), guard, bases);
    this.near = new BudgetGauges(database, config.nearPercent());
    gauges.add(instruments.gauges(Metric.BUDGET_RESERVATIONS, calls::numbers));
    gauges.add(instruments.gauges(Metric.BUDGET_STATE, this::states));
    gauges.add(instruments.decimalGauge(Metric.BUDGET_DRIFT, parts.bases()::driftUsd));
    gauges.add(instruments.gauges(Metric.BUDGETS_NEAR_LIMIT, near::near));
    gauges.add(instruments.gauges(Metric.BUDGETS_USED_UP, near::usedUp));
  }

  /** All budgets. */
  public BudgetBook book() {
    return book;
  }

  /** The stage that refuses calls whose budgets are used up already. */
  public CheckBudgets check() {
    return new CheckBudgets(book, uses, refusals, parts.clock(), zone);
  }

  /** The stage that reserves what a call may cost. */
  public Reserve reserve(CostForecast forecast) {
    return new Reserve(book, forecast, reservations);
  }

  Reservations reservations() {
    return reservations;
  }

  /** The day on which a call counts that has reserved nothing. */
  public LocalDate day(Instant at) {
    return zone.day(at.toEpochMilli());
  }

  /**
   * Starts the upkeep, which recovers the calls of other replicas.
   *
   * @param settlement counts a recovered call and gives it to the ledger
   * @param inSpool whether the ledger has a call of the process before this one, and will settle it
   * @param complete whether a call that it does not have never reached a model
   */
  public AutoCloseable start(
      Settlement.Pricing pricing,
      Consumer<LedgerEntry> settlement,
      Predicate<UUID> inSpool,
      boolean complete) {
    Upkeep upkeep = upkeep(pricing, settlement, new Leftovers.Spool(inSpool, complete));
    upkeep.start();
    return upkeep;
  }

  Upkeep upkeep(
      Settlement.Pricing pricing, Consumer<LedgerEntry> settlement, Leftovers.Spool spool) {
    Recovery recovery =
        new Recovery(parts.calls(), reservations, parts.bases(), book, zone, pricing, settlement);
    return new Upkeep(
        parts,
        reservations,
        away,
        leases,
        confirmations,
        recovery,
        new Leftovers(parts, leases, confirmations, recovery, spool),
        book,
        near,
        timing);
  }

  /** Notes that calls are in the ledger. */
  public void confirmed(Collection<UUID> calls) {
    parts.calls().confirmed(calls);
    confirmations.add(calls);
    confirmations.send();
  }

  /** Where this replica reserves: the label {@code state} of {@code budget_state}. */
  String state() {
    if (away.databaseCounts()) {
      return "database";
    }
    return away.isAway() || !parts.state().counts() ? "blind" : "redis";
  }

  private Map<String, Long> states() {
    Map<String, Long> states = new HashMap<>(Map.of("redis", 0L, "database", 0L, "blind", 0L));
    states.put(state(), 1L);
    return states;
  }

  @Override
  public void close() throws Exception {
    for (AutoCloseable gauge : gauges) {
      gauge.close();
    }
  }
}
