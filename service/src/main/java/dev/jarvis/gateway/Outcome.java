package dev.jarvis.gateway;

import java.util.Locale;

/** How a call to a model ended. */
public enum Outcome {
  OK,
  /** The answer had been generated for another call. */
  CACHED,
  ERROR,
  /** The client left before the end of the answer. */
  ABORTED,
  /** Refused by JARVIS or by the model server, before a model worked. */
  REJECTED;

  /** The label {@code outcome} of {@code llm_requests_total}; also stored in the ledger. */
  public String label() {
    return name().toLowerCase(Locale.ROOT);
  }
}
