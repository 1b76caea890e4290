package dev.jarvis.budget;

import java.time.LocalDate;
import java.util.List;
import java.util.UUID;

/**
 * What a call reserves.
 *
 * @param intent what another replica settles the call by
 * @param nanos the same amount in each budget
 */
record Demand(UUID call, String intent, long nanos, LocalDate day, List<Budget> budgets) {
  Demand {
    budgets = List.copyOf(budgets);
  }

  /** The same call with another amount. */
  Demand with(String otherIntent, long otherNanos) {
    return new Demand(call, otherIntent, otherNanos, day, budgets);
  }
}
