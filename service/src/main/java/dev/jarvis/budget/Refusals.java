package dev.jarvis.budget;

import dev.jarvis.error.ApiException.BudgetExceeded;
import dev.jarvis.telemetry.Instruments;
import dev.jarvis.telemetry.Metric;
import java.time.Instant;
import java.time.LocalDate;
import java.time.format.DateTimeFormatter;
import org.jspecify.annotations.Nullable;

/**
 * The errors of calls that a hard budget does not allow. They are counted by the budget's scope.
 */
final class Refusals {
  private final Zone zone;
  private final Instruments instruments;

  Refusals(Zone zone, Instruments instruments) {
    this.zone = zone;
    this.instruments = instruments;
    for (Budget.Scope scope : Budget.Scope.values()) {
      instruments.add(Metric.BUDGET_REFUSALS, 0, scope.id());
    }
  }

  /** The budget is used up, or less is left than a call is expected to cost. */
  BudgetExceeded exceeded(Budget budget, LocalDate day, long used, long needed) {
    String more =
        used >= budget.limitNanos()
            ? ""
            : ", and this request may need %s USD".formatted(Nanos.text(needed));
    return refused(
        budget,
        "The %s of %s is used up: %s USD of %s USD are used or reserved%s. %s"
            .formatted(
                name(budget),
                budget.owner(),
                Nanos.text(used),
                Nanos.text(budget.limitNanos()),
                more,
                renewal(budget, day)),
        "insufficient_quota");
  }

  /** More than this replica may allow while the use of all replicas is not known. */
  BudgetExceeded share(Budget budget, LocalDate day, long share) {
    return refused(
        budget,
        "What is left of the %s of %s cannot be counted at the moment, and this replica's share of it, %s USD of %s USD, is used up. %s"
            .formatted(
                name(budget),
                budget.owner(),
                Nanos.text(Math.max(0, share)),
                Nanos.text(budget.limitNanos()),
                renewal(budget, day)),
        "insufficient_quota");
  }

  /** Nobody knows what is used. */
  BudgetExceeded unknown(Budget budget) {
    return refused(
        budget,
        "What is used of the %s of %s, %s USD, is not known at the moment: Redis and PostgreSQL are unavailable. Try again later."
            .formatted(name(budget), budget.owner(), Nanos.text(budget.limitNanos())),
        "budget_unknown");
  }

  private BudgetExceeded refused(Budget budget, String message, String code) {
    instruments.add(Metric.BUDGET_REFUSALS, 1, budget.scope().id());
    return new BudgetExceeded(message, code);
  }

  private static String name(Budget budget) {
    return switch (budget.period()) {
      case DAY -> "day's budget " + budget.id();
      case MONTH -> "month's budget " + budget.id();
      case NONE -> "budget " + budget.id();
    };
  }

  private String renewal(Budget budget, LocalDate day) {
    @Nullable LocalDate next = budget.period().next(day);
    return next == null
        ? "It does not renew: an administrator can raise it."
        : "It renews at %s."
            .formatted(
                DateTimeFormatter.ISO_OFFSET_DATE_TIME.format(
                    Instant.ofEpochMilli(zone.begin(next)).atZone(zone.id())));
  }
}
