package dev.jarvis.budget;

import dev.jarvis.budget.RedisLeases.Renewed;
import dev.jarvis.error.OutOfMemory;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What a replica does every few seconds: it renews its lease, announces its calls where they are
 * not known, sends again what was not sent, refreshes bases, and recovers the calls of replicas
 * that are gone.
 */
final class Upkeep implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Upkeep.class);

  private static final int CLAIMED_AT_ONCE = 100;
  private static final int REFRESHED_AT_ONCE = 300;
  private static final int GAUGES_EVERY = 6;
  private static final int SENT_AT_ONCE = 1_000;
  private static final Duration CLOSE_LIMIT = Duration.ofSeconds(2);

  /** Other replicas do the same, so each counter is refreshed once in this time. */
  private static final Duration REFRESHED = Duration.ofSeconds(4);

  /** So old is a hold whose replica is gone: its own would have ended it, or renewed its lease. */
  private static final Duration ORPHANED = Duration.ofMinutes(1);

  private final Reservations.Parts parts;
  private final Reservations reservations;
  private final Away away;
  private final RedisLeases leases;
  private final Confirmations confirmations;
  private final Recovery recovery;
  private final Leftovers leftovers;
  private final BudgetBook book;
  private final BudgetGauges gauges;
  private final Duration period;
  private final CountDownLatch closed = new CountDownLatch(1);
  private final Thread thread;

  /** Rounds since this replica's lease has been held without a gap. */
  private int rounds;

  Upkeep(
      Reservations.Parts parts,
      Reservations reservations,
      Away away,
      RedisLeases leases,
      Confirmations confirmations,
      Recovery recovery,
      Leftovers leftovers,
      BudgetBook book,
      BudgetGauges gauges,
      Budgets.Timing timing) {
    this.parts = parts;
    this.reservations = reservations;
    this.away = away;
    this.leases = leases;
    this.confirmations = confirmations;
    this.recovery = recovery;
    this.leftovers = leftovers;
    this.book = book;
    this.gauges = gauges;
    this.period = timing.renewal();
    this.thread = Thread.ofVirtual().name("budget-upkeep").unstarted(this::loop);
  }

  void start() {
    thread.start();
  }

  private void loop() {
    try {
      do {
        round();
      } while (!closed.await(period.toMillis(), TimeUnit.MILLISECONDS));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt(); // by close()
    }
  }

  /** Does everything once. */
  void round() {
    try {
      if (renew()) {
        rounds++;
        shared();
      } else {
        rounds = 0;
        alone();
      }
    } catch (Throwable e) { // whatever it is, the next round must take place
      OutOfMemory.endProcessIf(e);
      LOG.atWarn().setCause(e).log("the upkeep of budgets failed");
    }
  }

  /** Returns whether Redis knows what this replica's calls reserve. */
  private boolean renew() {
    Renewed renewed = parts.guard().tryAcquire() ? parts.guard().await(leases.renew()) : null;
    if (renewed == null) {
      away.noticed();
      parts.state().lost();
      return false;
    }
    parts.clock().learn(renewed.nowMillis());
    if (renewed.epoch() != parts.state().epoch()) {
      parts.state().lost();
    }
    if (parts.state().epoch() == 0 && !parts.state().announce()) {
      return false;
    }
    away.over();
    if (parts.state().counts()) {
      parts.shares().over();
    }
    return true;
  }

  private void alone() {
    if (!away.databaseAnswers()) {
      return;
    }
    try {
      parts
          .holds()
          .announce(
              parts.calls().unconfirmed().stream().filter(it -> !it.isHeldInDatabase()).toList());
      away.announced();
      releaseHolds();
    } catch (RuntimeException e) {
      away.databaseFailed();
      LOG.atDebug().setCause(e).log("calls were not announced to PostgreSQL");
    }
  }

  private void releaseHolds() {
    List<UUID> released = away.released();
    if (!released.isEmpty()) {
      parts.holds().release(released);
    }
  }

  private void shared() {
    parts.calls().unconfirmed().stream()
        .filter(it -> it.isSettled() && it.isUnsent())
        .limit(SENT_AT_ONCE)
        .forEach(reservations::send);
    confirmations.send();
    claim();
    leftovers.release(rounds == 1);
    refresh();
    if (rounds % GAUGES_EVERY == 1) {
      gauges.read(parts.zone().day(parts.clock().millis()));
    }
    releaseHolds();
    if (rounds * period.toMillis() > ORPHANED.toMillis()) {
      leftovers.orphans(ORPHANED).forEach(recovery::settle);
    }
  }

  private void claim() {
    List<RedisLeases.Claimed> claimed =
        parts.guard().tryAcquire() ? parts.guard().await(leases.claim(CLAIMED_AT_ONCE)) : null;
    if (claimed != null) {
      claimed.forEach(recovery::settle);
    }
  }

  private void refresh() {
    parts.bases().round();
    for (CounterName counter : parts.bases().changed().stream().limit(REFRESHED_AT_ONCE).toList()) {
      Budget budget = book.find(counter.budget());
      if (budget == null) {
        parts.bases().remove(counter);
      } else if (parts.bases().refresh(budget, counter, REFRESHED)) {
        parts.state().trust(counter);
      }
    }
  }

  @Override
  public void close() throws InterruptedException {
    closed.countDown();
    if (!thread.join(CLOSE_LIMIT)) {
      thread.interrupt(); // it waits for a database that does not answer
      thread.join(CLOSE_LIMIT);
    }
  }
}
