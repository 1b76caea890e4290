package dev.jarvis.budget;

import java.time.Duration;
import java.time.LocalDate;
import java.util.List;
import java.util.OptionalLong;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * What this replica may allow while nobody counts for all replicas: of what was left of a hard
 * budget when its use was last known, this replica's share, and only for a while. Thread-safe.
 */
final class BlindShares {
  private final KnownUses uses;
  private final Refusals refusals;
  private final int replicas;
  private final Duration limit;
  private final Zone zone;
  private final LongSupplier clock;
  private long since = -1;

  /** Finds out what is used of a budget that this replica has not seen yet, if that is possible. */
  interface Ledger {
    OptionalLong used(Budget budget, CounterName counter);
  }

  /**
   * @param replicas the largest number of replicas
   * @param limit how long shares are allowed without a word of Redis or PostgreSQL
   * @param clock milliseconds of any epoch
   */
  BlindShares(
      KnownUses uses,
      Refusals refusals,
      int replicas,
      Duration limit,
      Zone zone,
      LongSupplier clock) {
    this.uses = uses;
    this.refusals = refusals;
    this.replicas = replicas;
    this.limit = limit;
    this.zone = zone;
    this.clock = clock;
  }

  /**
   * Takes an amount from the share of each hard budget, or from none.
   *
   * @throws dev.jarvis.error.ApiException.BudgetExceeded if a share has less left
   */
  synchronized void take(List<Budget> budgets, LocalDate day, long nanos, Ledger ledger) {
    List<Budget> hard = budgets.stream().filter(Budget::hard).toList();
    if (hard.isEmpty()) {
      return;
    }
    long now = clock.getAsLong();
    since = since < 0 ? now : since;
    for (Budget budget : hard) {
      if (now - since > limit.toMillis()) {
        throw refusals.unknown(budget);
      }
      check(budget, CounterName.of(budget, day, zone), day, nanos, ledger);
    }
    uses.blind(hard.stream().map(it -> CounterName.of(it, day, zone)).toList(), nanos);
  }

  private void check(Budget budget, CounterName counter, LocalDate day, long nanos, Ledger ledger) {
    KnownUses.@Nullable Use use = uses.get(counter);
    if (use == null) {
      uses.known(counter, ledger.used(budget, counter).orElseThrow(() -> refusals.unknown(budget)));
      use = uses.get(counter);
    }
    if (use == null) {
      throw refusals.unknown(budget);
    }
    long share = (budget.limitNanos() - use.nanos()) / replicas;
    if (use.blind() >= share || use.blind() + nanos > share) {
      throw use.nanos() >= budget.limitNanos()
          ? refusals.exceeded(budget, day, use.nanos(), nanos)
          : refusals.share(budget, day, share);
    }
  }

  /** Notes that somebody counts for all replicas again. */
  synchronized void over() {
    since = -1;
  }
}
