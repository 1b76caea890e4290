package dev.jarvis.budget;

import dev.jarvis.budget.RedisBases.Refreshed;
import dev.jarvis.id.UuidV7;
import dev.jarvis.storage.Database;
import dev.jarvis.storage.RedisGuard;
import dev.jarvis.storage.Sql;
import io.helidon.dbclient.DbExecute;
import java.math.BigDecimal;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;

/**
 * Sets the bases of counters to what the ledger says, and so removes the amounts of the calls that
 * it has. The ledger is read after the refresh has begun, and the calls of the counter after that:
 * the ledger's state is then the newest one, and no call in it is missed. Thread-safe.
 */
final class BaseRefresh {
  private static final Logger LOG = LoggerFactory.getLogger(BaseRefresh.class);

  /** Of the clocks of replicas and PostgreSQL. */
  private static final Duration TOLERANCE = Duration.ofMinutes(1);

  private static final int MAX_COUNTERS = 100_000;

  private final RedisBases bases;
  private final RedisGuard guard;
  private final Database database;
  private final KnownUses uses;
  private final Away away;

  /** The counters whose amounts this replica has changed since their last refresh. */
  private final Set<CounterName> changed = ConcurrentHashMap.newKeySet();

  private final AtomicLong drift = new AtomicLong();

  /** What the ledger says of a counter. */
  private record State(long nanos, List<UUID> contained, int calls) {}

  BaseRefresh(RedisBases bases, RedisGuard guard, Database database, KnownUses uses, Away away) {
    this.bases = bases;
    this.guard = guard;
    this.database = database;
    this.uses = uses;
    this.away = away;
  }

  /** Has counters refreshed by the next round. */
  void changed(Collection<CounterName> counters) {
    if (changed.size() < MAX_COUNTERS) {
      changed.addAll(counters);
    }
  }

  /** The counters for the next round. */
  List<CounterName> changed() {
    return List.copyOf(changed);
  }

  /** The difference between ledger and counters that the last refreshes found, in dollars. */
  double driftUsd() {
    return Math.abs(drift.get()) / 1e9;
  }

  /** Begins a new round. */
  void round() {
    drift.set(0);
  }

  /**
   * Refreshes a counter, unless PostgreSQL is away.
   *
   * @param since how long ago another refresh must have begun, or this one does nothing
   * @param counts whether Redis knows the calls of all replicas; if not, more may be used than it
   *     says
   * @return whether the base is set
   */
  boolean refresh(Budget budget, CounterName counter, Duration since, boolean counts) {
    if (!away.databaseAnswers()) {
      return false;
    }
    Long generation = guard.ask(() -> bases.begin(counter, since));
    if (generation == null || generation == 0) {
      return false;
    }
    try {
      State state = database.snapshot(db -> read(db, budget, counter)).orElse(null);
      if (state == null) {
        return false;
      }
      Refreshed done =
          guard.ask(() -> bases.set(counter, generation, state.nanos(), state.contained()));
      if (done == null || !done.set()) {
        return false;
      }
      if (counts) {
        uses.known(counter, done.used());
      } else {
        uses.atLeast(counter, done.used());
      }
      drift.accumulateAndGet(done.drift(), (a, b) -> Math.abs(a) > Math.abs(b) ? a : b);
      if (state.contained().size() == state.calls()) {
        changed.remove(counter);
      }
      return true;
    } catch (RuntimeException e) {
      away.databaseFailed();
      LOG.atLevel(Database.isAway(e) ? Level.DEBUG : Level.WARN)
          .setCause(e)
          .log("the base of a budget's counter was not read");
      return false;
    }
  }

  /** Removes the counter of a budget that was deleted. */
  void remove(CounterName counter) {
    if (guard.tryAcquire() && guard.answered(bases.remove(counter))) {
      changed.remove(counter);
    }
  }

  /** Empty if Redis does not name the calls. */
  private Optional<State> read(DbExecute db, Budget budget, CounterName counter) {
    long nanos = BudgetStore.ledgerNanos(budget, counter.first()).apply(db);
    List<UUID> calls = guard.ask(() -> bases.calls(counter));
    if (calls == null) {
      return Optional.empty();
    }
    return Optional.of(
        new State(
            nanos + held(calls, counter).apply(db), contained(calls).apply(db), calls.size()));
  }

  /** What calls have reserved in PostgreSQL alone, because their replica does not reach Redis. */
  private static Function<DbExecute, Long> held(List<UUID> calls, CounterName counter) {
    @Nullable String first = counter.first() == null ? null : counter.first().toString();
    return Sql.get(
            "budget_held",
            """
            SELECT coalesce(sum(nanos), 0) AS nanos FROM budget_holds
            WHERE budget_id = CAST(? AS uuid) AND (CAST(? AS date) IS NULL OR day >= CAST(? AS date))
              AND call_id <> ALL (CAST(? AS uuid[]))""",
            it -> it.column("nanos").get(BigDecimal.class).longValueExact(),
            counter.budget(),
            first,
            first,
            Sql.array(calls))
        .andThen(it -> it.orElse(0L));
  }

  /** Which calls the ledger has. */
  static Function<DbExecute, List<UUID>> contained(List<UUID> calls) {
    if (calls.isEmpty()) {
      return db -> List.of();
    }
    Instant first = calls.stream().map(UuidV7::time).min(Instant::compareTo).orElseThrow();
    Instant last = calls.stream().map(UuidV7::time).max(Instant::compareTo).orElseThrow();
    return Sql.list(
        "budget_calls_in_ledger",
        """
        SELECT id FROM ledger_entries WHERE id = ANY (CAST(? AS uuid[]))
          AND created_at BETWEEN CAST(? AS timestamptz) AND CAST(? AS timestamptz)""",
        it -> it.column("id").get(UUID.class),
        Sql.array(calls),
        first.minus(TOLERANCE).toString(),
        last.plus(TOLERANCE).toString());
  }
}
