package dev.jarvis.budget;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.jarvis.gateway.Account;
import dev.jarvis.gateway.Attempt;
import dev.jarvis.gateway.Call;
import dev.jarvis.gateway.Checkpoint;
import dev.jarvis.gateway.CostForecast;
import dev.jarvis.gateway.CostForecast.Expected;
import dev.jarvis.gateway.LedgerEntry;
import dev.jarvis.gateway.LedgerJson;
import dev.jarvis.gateway.TargetName;
import java.math.BigDecimal;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What one call reserves: more before a dearer attempt, and in the end what it has cost. */
final class BudgetAccount implements Account {
  private final Call call;
  private final OpenCall open;
  private final TargetName dearest;
  private final CostForecast forecast;
  private final Reservations reservations;

  /**
   * @param dearest whose cost is reserved
   */
  BudgetAccount(
      Call call,
      OpenCall open,
      TargetName dearest,
      CostForecast forecast,
      Reservations reservations) {
    this.call = call;
    this.open = open;
    this.dearest = dearest;
    this.forecast = forecast;
    this.reservations = reservations;
  }

  @Override
  public void attempt(TargetName target, List<Attempt> before) {
    BigDecimal spent =
        before.stream().map(forecast::spent).reduce(BigDecimal.ZERO, BigDecimal::add);
    if (spent.signum() == 0 && target.equals(dearest)) {
      return;
    }
    Expected expected = forecast.of(call.question(), target);
    long needed = Nanos.reserved(spent.add(Reserve.usd(expected)));
    if (needed > open.nanos()) {
      reservations.reserveMore(
          open, Reserve.text(Reserve.intent(call, open.demand().day(), expected)), needed);
    }
  }

  @Override
  public void checkpoint(Checkpoint checkpoint) {
    reservations.checkpoint(open, new String(LedgerJson.write(checkpoint), UTF_8));
  }

  @Override
  public void settle(@Nullable LedgerEntry entry) {
    if (entry == null) {
      reservations.release(open);
    } else {
      BigDecimal usd = entry.costUsd();
      reservations.settle(open, usd == null ? 0 : Nanos.of(usd));
    }
  }
}
