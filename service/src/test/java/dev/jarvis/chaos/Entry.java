package dev.jarvis.chaos;

import java.math.BigDecimal;

/**
 * An entry of the ledger.
 *
 * @param rank 3 exact, 2 estimated by its replica, 1 estimated by recovery
 * @param estimated whether the model server did not count its tokens
 */
record Entry(
    String requestId,
    int rank,
    boolean estimated,
    String outcome,
    String user,
    String team,
    long input,
    long output,
    BigDecimal cost) {

  boolean exact() {
    return rank == 3 && !estimated;
  }
}
