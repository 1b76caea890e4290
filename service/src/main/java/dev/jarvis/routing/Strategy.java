package dev.jarvis.routing;

import java.util.Locale;

/** How a route orders its targets. Targets of equal rank stay in the order of the route. */
public enum Strategy {
  /** The target with the lowest priority number first, the others as fallback. */
  PRIORITY("priority"),
  /** A random target first, with a probability in proportion to its weight. */
  WEIGHTED("weight"),
  /** The target with the fewest attempts in progress in this replica first. */
  LEAST_BUSY("least_busy"),
  /** The target with the shortest recent time to first token first; never measured: before it. */
  LOWEST_LATENCY("lowest_latency"),
  /** The target with the lowest price per token first; without a price: last. */
  LOWEST_COST("lowest_cost");

  private final String reason;

  Strategy(String reason) {
    this.reason = reason;
  }

  /** The reason of its choices in telemetry. */
  public String reason() {
    return reason;
  }

  /** The name in the configuration and in telemetry, for example {@code least-busy}. */
  public String id() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }
}
