package dev.jarvis.budget;

import dev.jarvis.gateway.Answer;
import dev.jarvis.gateway.Call;
import dev.jarvis.gateway.Stage;
import java.time.Duration;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.List;

/**
 * Refuses calls whose hard budgets were used up just now, before they wait for anything, and notes
 * soft budgets that are used up. It asks nobody: {@link Reserve} decides whenever this replica does
 * not know.
 */
public final class CheckBudgets implements Stage {
  private static final Duration JUST_NOW = Duration.ofSeconds(2);

  private final BudgetBook book;
  private final KnownUses uses;
  private final Refusals refusals;
  private final Clock clock;
  private final Zone zone;

  CheckBudgets(BudgetBook book, KnownUses uses, Refusals refusals, Clock clock, Zone zone) {
    this.book = book;
    this.uses = uses;
    this.refusals = refusals;
    this.clock = clock;
    this.zone = zone;
  }

  @Override
  public Answer handle(Call call, Next next) {
    List<Budget> budgets = book.of(call.caller());
    if (!budgets.isEmpty()) {
      check(call, budgets);
    }
    return next.proceed(call);
  }

  private void check(Call call, List<Budget> budgets) {
    LocalDate today = zone.day(clock.millis());
    List<String> over = new ArrayList<>();
    for (Budget budget : budgets) {
      KnownUses.Use use = uses.get(CounterName.of(budget, today, zone));
      if (use != null && use.nanos() >= budget.limitNanos()) {
        if (!budget.hard()) {
          over.add(header(budget, use));
        } else if (uses.age(use) <= JUST_NOW.toMillis()) {
          throw refusals.exceeded(budget, today, use.nanos(), 0);
        }
      }
    }
    call.record().overBudgets(over);
  }

  private static String header(Budget budget, KnownUses.Use use) {
    return "%s; period=%s; limit=%s; used=%s"
        .formatted(
            budget.scope().id(),
            budget.period().id(),
            Nanos.text(budget.limitNanos()),
            Nanos.text(use.nanos()));
  }
}
