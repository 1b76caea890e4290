package dev.jarvis.routing;

import java.util.Locale;

/** How a route chooses among its targets that can be asked. Equal ones stay in their order. */
public enum Strategy {
  /** The lowest number first, the others as fallback. */
  PRIORITY("priority"),
  /** By lot, each as often as its weight says. */
  WEIGHTED("weight"),
  /** The one with the fewest answers under way in this replica. */
  LEAST_BUSY("least_busy"),
  /** The one whose first tokens came quickest lately; one that was never asked comes first. */
  LOWEST_LATENCY("lowest_latency"),
  /** The one whose tokens cost least; one without a price comes last. */
  LOWEST_COST("lowest_cost");

  private final String reason;

  Strategy(String reason) {
    this.reason = reason;
  }

  /** Why its choice was made, as telemetry says it. */
  public String reason() {
    return reason;
  }

  /** As configuration and telemetry write it: {@code least-busy}. */
  public String id() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }
}
