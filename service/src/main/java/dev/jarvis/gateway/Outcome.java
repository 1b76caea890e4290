package dev.jarvis.gateway;

import java.util.Locale;

/** How a call to a model ended. */
public enum Outcome {
  OK,
  /** No model was asked: the answer was given before. */
  CACHED,
  ERROR,
  /** Nobody waited for the end of the answer. */
  ABORTED,
  /** Refused by JARVIS or by the model server, before a model worked. */
  REJECTED;

  /** As {@code llm_requests_total} names it. */
  public String label() {
    return name().toLowerCase(Locale.ROOT);
  }
}
