package dev.jarvis.budget;

import dev.jarvis.budget.RedisReservations.Reply;
import dev.jarvis.storage.Database;
import dev.jarvis.storage.RedisGuard;
import java.time.Duration;
import java.time.LocalDate;
import java.util.HashSet;
import java.util.List;
import java.util.OptionalLong;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reserves what calls may cost: in Redis; while Redis is away, in PostgreSQL, once all replicas
 * have had the time to note there what their calls hold; and until then, or if neither counts,
 * within this replica's blind share. Thread-safe.
 */
final class Reservations {
  private static final Logger LOG = LoggerFactory.getLogger(Reservations.class);

  /** Answers that say what must be done first; then the call reserves elsewhere. */
  private static final int MAX_TRIES = 20;

  private static final Duration JUST_NOW = Duration.ofSeconds(1);
  private static final long WAIT_FOR_BASE_MILLIS = 20;

  /** Then a PostgreSQL that is read by another call does not answer. */
  private static final int MAX_WAITS = 10;

  private final Parts parts;
  private final Away away;

  /** What this works with. */
  record Parts(
      RedisReservations redis,
      RedisGuard guard,
      SharedState state,
      BaseRefresh bases,
      BudgetHolds holds,
      BlindShares shares,
      KnownUses uses,
      OpenCalls calls,
      Refusals refusals,
      Clock clock,
      Zone zone,
      Database database) {}

  /** A call whose day is not decided. */
  interface Draft {
    Demand on(LocalDate day);
  }

  Reservations(Parts parts, Away away) {
    this.parts = parts;
    this.away = away;
  }

  /**
   * Reserves for a new call.
   *
   * @throws dev.jarvis.error.ApiException.BudgetExceeded if a hard budget does not allow it
   */
  OpenCall reserve(Draft draft) {
    long version = parts.state().version();
    Demand demand = draft.on(parts.zone().day(parts.clock().millis()));
    OpenCall call = inRedis(draft, demand);
    if (call == null) {
      call = elsewhere(demand);
      parts.calls().add(call);
      parts.state().reservedElsewhere(call);
      return call;
    }
    parts.calls().add(call);
    if (version != parts.state().version()) {
      parts.state().announce(call);
    }
    return call;
  }

  /** Null if Redis does not answer. */
  private @Nullable OpenCall inRedis(Draft draft, Demand first) {
    Demand demand = first;
    Attempt attempt = new Attempt(true);
    for (int i = 0; i < MAX_TRIES; i++) {
      Reply reply = attempt.ask(demand);
      if (reply == null) {
        return null;
      }
      switch (reply.status()) {
        case GRANTED -> {
          return attempt.granted(new OpenCall(demand, parts.zone()), demand.nanos(), reply);
        }
        case DAY -> demand = draft.on(parts.zone().day(reply.nowMillis()));
        default -> {
          if (!attempt.prepare(demand, demand.nanos(), reply)) {
            return null;
          }
        }
      }
    }
    return null;
  }

  /**
   * Has a call reserve another amount, in the same period.
   *
   * @throws dev.jarvis.error.ApiException.BudgetExceeded if a hard budget does not allow it
   */
  void reserveMore(OpenCall call, String intent, long nanos) {
    Demand demand = call.demand().with(intent, nanos);
    long more = nanos - call.nanos();
    Attempt attempt = new Attempt(false);
    for (int i = 0; i < MAX_TRIES; i++) {
      Reply reply = attempt.ask(demand);
      if (reply == null) {
        break;
      }
      if (reply.status() == RedisReservations.Status.GRANTED) {
        var _ = attempt.granted(call, more, reply);
        call.reserved(demand);
        return;
      }
      if (!attempt.prepare(demand, more, reply)) {
        break;
      }
    }
    OpenCall other = elsewhere(demand, more);
    if (other.isBlind()) {
      call.allowedBlindly();
    }
    if (other.isHeldInDatabase()) {
      call.heldInDatabase();
    }
    call.reserved(demand);
    parts.state().reservedElsewhere(call);
  }

  /** One call's conversation with Redis. */
  private final class Attempt {
    private final boolean anew;
    private final Set<UUID> unchecked = new HashSet<>();

    /** Hard budgets that a blind share has allowed already. */
    private final Set<UUID> allowed = new HashSet<>();

    private long asked;
    private int waits;

    Attempt(boolean anew) {
      this.anew = anew;
    }

    @Nullable Reply ask(Demand demand) {
      for (Budget budget : demand.budgets()) {
        CounterName counter = CounterName.of(budget, demand.day(), parts.zone());
        if (parts.state().epoch() != 0
            && parts.state().mustRefresh(counter, parts.zone())
            && !unchecked.contains(budget.id())
            && parts.bases().refresh(budget, counter, Duration.ZERO, parts.state().counts())) {
          parts.state().trust(counter);
        }
      }
      if (!parts.guard().tryAcquire()) {
        away.noticed();
        return null;
      }
      asked = parts.state().epoch();
      CompletableFuture<Reply> answer = parts.redis().reserve(demand, anew, asked, unchecked);
      Reply reply = parts.guard().await(answer);
      if (reply == null) {
        away.noticed();
        releaseIfLate(demand.call(), answer);
      } else {
        parts.clock().learn(reply.nowMillis());
      }
      return reply;
    }

    /**
     * Does what an answer asks for before the next try.
     *
     * @return false if the call must reserve elsewhere
     */
    boolean prepare(Demand demand, long more, Reply reply) {
      return switch (reply.status()) {
        case REFUSED -> throw refused(demand, more, reply);
        case EPOCH -> announced();
        case GRACE -> {
          blindly(demand, more, demand.budgets());
          yield true;
        }
        case NO_BASE -> {
          base(demand, more, demand.budgets().get(reply.place()));
          yield true;
        }
        case DAY, GRANTED -> true;
      };
    }

    private RuntimeException refused(Demand demand, long more, Reply reply) {
      away.over();
      Budget budget = demand.budgets().get(reply.place());
      long used = reply.used().get(reply.place());
      parts.uses().known(CounterName.of(budget, demand.day(), parts.zone()), used);
      return parts.refusals().exceeded(budget, demand.day(), used, more);
    }

    private boolean announced() {
      if (parts.state().epoch() == asked) {
        parts.state().lost();
      }
      if (parts.state().epoch() != 0 || parts.state().announce()) {
        return true;
      }
      pause(); // another call or the upkeep announces
      return parts.guard().closed();
    }

    private void base(Demand demand, long more, Budget budget) {
      CounterName counter = CounterName.of(budget, demand.day(), parts.zone());
      if (parts.bases().refresh(budget, counter, JUST_NOW, parts.state().counts())) {
        return;
      }
      if (away.databaseAnswers() && waits++ < MAX_WAITS) {
        pause(); // another call or replica reads it
      } else {
        blindly(demand, more, List.of(budget));
      }
    }

    private void blindly(Demand demand, long more, List<Budget> budgets) {
      List<Budget> some = budgets.stream().filter(it -> allowed.add(it.id())).toList();
      parts.shares().take(some, demand.day(), more, Reservations.this::ledger);
      budgets.forEach(it -> unchecked.add(it.id()));
    }

    OpenCall granted(OpenCall call, long more, Reply reply) {
      if (allowed.isEmpty()) {
        away.over();
        parts.shares().over();
      } else {
        call.allowedBlindly();
      }
      for (int i = 0; i < reply.used().size(); i++) {
        if (!unchecked.contains(call.demand().budgets().get(i).id())) {
          parts.uses().known(call.counters().get(i), reply.used().get(i) + more);
        }
      }
      parts.bases().changed(call.counters());
      return call;
    }

    /** A frozen Redis runs later what it was sent, also for a call that was refused meanwhile. */
    private void releaseIfLate(UUID call, CompletableFuture<Reply> answer) {
      var _ =
          answer.thenAccept(
              late -> {
                if (late.status() == RedisReservations.Status.GRANTED
                    && parts.calls().find(call) == null) {
                  var _ = parts.redis().release(List.of(call));
                }
              });
    }

    private void pause() {
      try {
        Thread.sleep(WAIT_FOR_BASE_MILLIS);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
  }

  private OpenCall elsewhere(Demand demand) {
    return elsewhere(demand, demand.nanos());
  }

  private OpenCall elsewhere(Demand demand, long more) {
    parts.state().lost();
    OpenCall call = new OpenCall(demand, parts.zone());
    if (away.databaseCounts()) {
      List<BudgetHolds.Reply> replies = null;
      try {
        replies = parts.holds().reserve(demand);
      } catch (RuntimeException e) {
        away.databaseFailed();
        LOG.atDebug().setCause(e).log("PostgreSQL did not reserve for a call");
      }
      if (replies != null) {
        refuseOrNote(demand, call, replies, more);
        call.heldInDatabase();
        parts.shares().over();
        return call;
      }
    }
    parts.shares().take(demand.budgets(), demand.day(), more, this::ledger);
    call.allowedBlindly();
    return call;
  }

  private void refuseOrNote(
      Demand demand, OpenCall call, List<BudgetHolds.Reply> replies, long more) {
    for (BudgetHolds.Reply reply : replies) {
      if (reply.refuses()) {
        throw parts
            .refusals()
            .exceeded(demand.budgets().get(reply.place()), demand.day(), reply.used(), more);
      }
    }
    for (BudgetHolds.Reply reply : replies) {
      parts.uses().known(call.counters().get(reply.place()), reply.used() + demand.nanos());
    }
  }

  /** What the ledger says, for a budget that this replica has not counted yet. */
  private OptionalLong ledger(Budget budget, CounterName counter) {
    if (!away.databaseAnswers()) {
      return OptionalLong.empty();
    }
    try {
      return OptionalLong.of(
          parts.database().execute(BudgetStore.ledgerNanos(budget, counter.first())));
    } catch (RuntimeException e) {
      away.databaseFailed();
      LOG.atDebug().setCause(e).log("PostgreSQL did not say what a budget has used");
      return OptionalLong.empty();
    }
  }

  /** Books what a call has cost; never waits. */
  void settle(OpenCall call, long cost) {
    long change = cost - call.nanos();
    boolean first = !call.isSettled();
    call.settled(cost);
    if (first) {
      parts.calls().settled(call);
    }
    note(call, change);
    send(call);
  }

  /** Sends what a call has cost to Redis, or notes that this is still to be done. */
  void send(OpenCall call) {
    call.unsent(true);
    if (parts.state().epoch() == 0 || !parts.guard().closed()) {
      return; // it is announced when Redis is back
    }
    var _ =
        parts
            .redis()
            .settle(call.demand().call(), call.nanos())
            .thenAccept(_ -> call.unsent(false));
  }

  /** Gives back what a call has reserved; never waits. */
  void release(OpenCall call) {
    UUID id = call.demand().call();
    parts.calls().remove(id);
    note(call, -call.nanos());
    if (parts.guard().closed()) {
      var _ = parts.redis().release(List.of(id)); // if that fails, the upkeep finds it
    }
    if (call.isHeldInDatabase()) {
      away.releaseLater(id);
    }
  }

  private void note(OpenCall call, long change) {
    if (call.isBlind()) {
      parts.uses().blind(call.counters(), change);
    } else {
      parts.uses().settled(call.counters(), change);
    }
    parts.bases().changed(call.counters());
  }

  /** Notes how far the answer of a call has come; never waits. */
  void checkpoint(OpenCall call, String checkpoint) {
    if (parts.state().epoch() != 0 && parts.guard().closed()) {
      var _ = parts.redis().checkpoint(call.demand().call(), checkpoint);
    }
  }
}
