package dev.jarvis.budget;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.jarvis.gateway.Answer;
import dev.jarvis.gateway.Asked;
import dev.jarvis.gateway.Call;
import dev.jarvis.gateway.CostForecast;
import dev.jarvis.gateway.CostForecast.Expected;
import dev.jarvis.gateway.Intent;
import dev.jarvis.gateway.LedgerJson;
import dev.jarvis.gateway.Origin;
import dev.jarvis.gateway.Stage;
import dev.jarvis.gateway.TargetName;
import dev.jarvis.gateway.Usage;
import io.opentelemetry.api.trace.Span;
import java.math.BigDecimal;
import java.time.Duration;
import java.time.LocalDate;
import java.util.Comparator;
import java.util.List;

/**
 * Reserves what a call may cost in all budgets of its caller, before a model is asked. A call is
 * registered even if it has no budget, so that another replica can settle it.
 */
public final class Reserve implements Stage {
  private final BudgetBook book;
  private final CostForecast forecast;
  private final Reservations reservations;

  Reserve(BudgetBook book, CostForecast forecast, Reservations reservations) {
    this.book = book;
    this.forecast = forecast;
    this.reservations = reservations;
  }

  @Override
  public Answer handle(Call call, Next next) {
    Expected dearest = dearest(call);
    List<Budget> budgets = book.of(call.caller());
    OpenCall open = reservations.reserve(day -> demand(call, day, dearest, budgets));
    call.record().intend(intent(call, open.demand().day(), dearest));
    if (open.isBlind() || open.isHeldInDatabase()) {
      call.record().requireDurability();
    }
    call.record().add(new BudgetAccount(call, open, dearest.target(), forecast, reservations));
    return next.proceed(call);
  }

  /** Of the targets that may be asked. Without any, the last stage says why. */
  private Expected dearest(Call call) {
    return forecast.of(call.question()).stream()
        .max(Comparator.comparing(Reserve::usd))
        .orElseGet(
            () ->
                new Expected(
                    new TargetName("_none", call.question().model()),
                    Usage.NONE,
                    Duration.ZERO,
                    null));
  }

  static BigDecimal usd(Expected expected) {
    return expected.usd() == null ? BigDecimal.ZERO : expected.usd();
  }

  private static Demand demand(Call call, LocalDate day, Expected expected, List<Budget> budgets) {
    return new Demand(
        call.id(), text(intent(call, day, expected)), Nanos.reserved(usd(expected)), day, budgets);
  }

  /** What another replica settles the call by. */
  static Intent intent(Call call, LocalDate day, Expected expected) {
    return new Intent(
        call.id(),
        day,
        Origin.of(call, Span.current().getSpanContext().getTraceId()),
        Asked.of(call),
        expected.target(),
        expected.usage(),
        expected.compute());
  }

  static String text(Intent intent) {
    return new String(LedgerJson.write(intent), UTF_8);
  }
}
