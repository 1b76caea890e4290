package dev.jarvis.budget;

import java.util.List;

/** A call of this replica that the ledger does not have yet. Thread-safe. */
final class OpenCall {
  private final List<CounterName> counters;
  private Demand demand;
  private long nanos;
  private boolean settled;
  private boolean blind;
  private boolean unsent;
  private boolean inDatabase;

  OpenCall(Demand demand, Zone zone) {
    this.demand = demand;
    this.nanos = demand.nanos();
    this.counters =
        demand.budgets().stream().map(it -> CounterName.of(it, demand.day(), zone)).toList();
  }

  /** A call that is settled, of a replica that is gone. */
  OpenCall(Demand demand, List<CounterName> counters) {
    this.demand = demand;
    this.nanos = demand.nanos();
    this.counters = counters;
    this.settled = true;
  }

  /** One for each of its budgets. */
  List<CounterName> counters() {
    return counters;
  }

  synchronized Demand demand() {
    return demand;
  }

  /** What it has reserved or, once it is settled, cost. */
  synchronized long nanos() {
    return nanos;
  }

  synchronized void reserved(Demand more) {
    demand = more;
    nanos = more.nanos();
  }

  synchronized void settled(long cost) {
    nanos = cost;
    settled = true;
  }

  synchronized boolean isSettled() {
    return settled;
  }

  /** Notes that no counter of all replicas has allowed it. */
  synchronized void allowedBlindly() {
    blind = true;
  }

  synchronized boolean isBlind() {
    return blind;
  }

  /** Notes whether Redis does not have what the call has cost. */
  synchronized void unsent(boolean now) {
    unsent = now;
  }

  synchronized boolean isUnsent() {
    return unsent;
  }

  /** Notes that PostgreSQL holds what it reserves. */
  synchronized void heldInDatabase() {
    inDatabase = true;
  }

  synchronized boolean isHeldInDatabase() {
    return inDatabase;
  }
}
