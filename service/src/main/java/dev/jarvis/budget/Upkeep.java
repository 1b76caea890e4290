package dev.jarvis.budget;

import dev.jarvis.budget.RedisLeases.Renewed;
import dev.jarvis.error.OutOfMemory;
import dev.jarvis.storage.Database;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What a replica does every few seconds: it renews its lease and announces its calls where they are
 * not known; and, in a thread of its own, it sends again what was not sent, refreshes bases, and
 * recovers the calls of replicas that are gone.
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
  private final Thread renewing;
  private final Thread working;
  private volatile Held held = new Held(0, 0, 0);

  /** Of the working thread: its rounds since the last gap, and the gaps by then. */
  private int rounds;

  private int gaps;

  /**
   * Since when the lease has been held.
   *
   * @param renewals without a gap, in one epoch; 0 if Redis does not know this replica's calls
   * @param gaps before these
   */
  private record Held(long epoch, int renewals, int gaps) {}

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
    this.renewing = Thread.ofVirtual().name("budget-lease").unstarted(() -> loop(this::renewal));
    this.working = Thread.ofVirtual().name("budget-upkeep").unstarted(() -> loop(this::work));
  }

  void start() {
    renewing.start();
    working.start();
  }

  private void loop(Runnable part) {
    try {
      do {
        run(part);
      } while (!closed.await(period.toMillis(), TimeUnit.MILLISECONDS));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt(); // by close()
    }
  }

  /** Does everything once. */
  void round() {
    run(this::renewal);
    run(this::work);
  }

  private void run(Runnable part) {
    try {
      part.run();
    } catch (Throwable e) { // whatever it is, the next round must take place
      OutOfMemory.endProcessIf(e);
      if (Database.isAway(e)) {
        away.databaseFailed();
      }
      LOG.atWarn().setCause(e).log("the upkeep of budgets failed");
    }
  }

  /**
   * Renews the lease. Asks Redis only: a PostgreSQL that does not answer must not make this replica
   * look as if it were gone.
   */
  void renewal() {
    long epoch = renew();
    Held before = held;
    if (epoch == 0) {
      held = new Held(0, 0, before.gaps());
    } else if (epoch == before.epoch()) {
      held = new Held(epoch, before.renewals() + 1, before.gaps());
    } else {
      held = new Held(epoch, 1, before.gaps() + 1);
    }
  }

  /** Returns the epoch if Redis knows what this replica's calls reserve, or 0. */
  private long renew() {
    Renewed renewed = parts.guard().ask(leases::renew);
    if (renewed == null) {
      away.noticed();
      parts.state().lost();
      return 0;
    }
    parts.clock().learn(renewed.nowMillis());
    if (renewed.lapsed()) {
      held = new Held(0, 0, held.gaps());
    }
    if (renewed.lapsed() || renewed.epoch() != parts.state().epoch()) {
      parts.state().lost();
    }
    if (parts.state().epoch() == 0 && !parts.state().announce()) {
      return 0;
    }
    away.over();
    if (parts.state().counts()) {
      parts.shares().over();
    }
    return parts.state().epoch();
  }

  /** Does what may wait for PostgreSQL. */
  private void work() {
    Held now = held;
    if (now.renewals() == 0) {
      alone();
      return;
    }
    rounds = now.gaps() == gaps ? rounds + 1 : 1;
    gaps = now.gaps();
    shared(now.renewals() * period.toMillis());
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

  private void shared(long heldMillis) {
    parts.calls().unconfirmed().stream()
        .filter(it -> it.isSettled() && it.isUnsent())
        .limit(SENT_AT_ONCE)
        .forEach(reservations::send);
    confirmations.send();
    claim();
    if (!away.databaseAnswers()) {
      return;
    }
    leftovers.release(rounds == 1);
    refresh();
    if (rounds % GAUGES_EVERY == 1) {
      gauges.read(parts.zone().day(parts.clock().millis()));
    }
    releaseHolds();
    if (heldMillis > ORPHANED.toMillis()) {
      leftovers.orphans(ORPHANED).forEach(recovery::settle);
    }
  }

  private void claim() {
    List<RedisLeases.Claimed> claimed = parts.guard().ask(() -> leases.claim(CLAIMED_AT_ONCE));
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
      } else if (parts.bases().refresh(budget, counter, REFRESHED, parts.state().counts())) {
        parts.state().trust(counter);
      } else if (!away.databaseAnswers()) {
        return;
      }
    }
  }

  @Override
  public void close() throws InterruptedException {
    closed.countDown();
    for (Thread each : List.of(renewing, working)) {
      if (!each.join(CLOSE_LIMIT)) {
        each.interrupt(); // it waits for a database that does not answer
        each.join(CLOSE_LIMIT);
      }
    }
  }
}
