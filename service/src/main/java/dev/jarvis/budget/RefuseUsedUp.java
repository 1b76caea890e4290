package dev.jarvis.budget;

import dev.jarvis.gateway.Answer;
import dev.jarvis.gateway.Call;
import dev.jarvis.gateway.Stage;
import java.time.Duration;
import java.time.LocalDate;

/**
 * Refuses calls whose hard budgets were used up just now, before they wait for anything. It asks
 * nobody: {@link Reserve} decides whenever this replica does not know.
 */
public final class RefuseUsedUp implements Stage {
  private static final Duration JUST_NOW = Duration.ofSeconds(2);

  private final BudgetBook book;
  private final KnownUses uses;
  private final Refusals refusals;
  private final Clock clock;
  private final Zone zone;

  RefuseUsedUp(BudgetBook book, KnownUses uses, Refusals refusals, Clock clock, Zone zone) {
    this.book = book;
    this.uses = uses;
    this.refusals = refusals;
    this.clock = clock;
    this.zone = zone;
  }

  @Override
  public Answer handle(Call call, Next next) {
    for (Budget budget : book.of(call.caller())) {
      if (budget.hard()) {
        check(budget);
      }
    }
    return next.proceed(call);
  }

  private void check(Budget budget) {
    LocalDate today = zone.day(clock.millis());
    KnownUses.Use use = uses.get(CounterName.of(budget, today, zone));
    if (use != null && use.nanos() >= budget.limitNanos() && uses.age(use) <= JUST_NOW.toMillis()) {
      throw refusals.exceeded(budget, today, use.nanos(), 0);
    }
  }
}
