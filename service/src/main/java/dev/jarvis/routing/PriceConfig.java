package dev.jarvis.routing;

import dev.jarvis.config.Checked;
import dev.jarvis.config.Default;
import dev.jarvis.config.Doc;
import dev.jarvis.config.Inline;
import dev.jarvis.config.Problems;
import dev.jarvis.config.Range;
import dev.jarvis.routing.Prices.Name;
import dev.jarvis.routing.Prices.Price;
import java.math.BigDecimal;
import java.time.LocalDate;
import java.time.ZoneOffset;
import org.jspecify.annotations.Nullable;

/** A price of a model's answers, in USD. */
public record PriceConfig(
    @Doc("A provider's name, also of one that is not configured.") String provider,
    @Doc("The model's name there.") @Range(min = 1, max = Route.MAX_NAME) String model,
    @Doc("The day (UTC) from which the price holds, in quotes.") @Default("1970-01-01")
        LocalDate from,
    @Inline Tokens tokens,
    @Inline Machine machine,
    @Doc("PROVIDER/MODEL whose price for the same tokens is shown for comparison.")
        @Nullable Name compareWith) {

  /** Prices of a million tokens. */
  public record Tokens(
      @Doc("A million input tokens.") @Default("0") BigDecimal input,
      @Doc("A million input tokens that the server had in its cache. Empty: as input.")
          @Nullable BigDecimal cachedInput,
      @Doc("A million output tokens.") @Default("0") BigDecimal output) {}

  /** The price of a machine's time. */
  public record Machine(
      @Doc(
              "For a self-hosted model: an hour of its machine; an answer costs the time that it takes. Alternatively set watts and kwh.")
          @Default("0")
          BigDecimal hour,
      @Doc("The watts that the machine draws.") @Default("0") BigDecimal watts,
      @Doc("The price of a kilowatt-hour.") @Default("0") BigDecimal kwh)
      implements Checked {

    @Override
    public void check(Problems problems) {
      if (hour.signum() > 0 && watts.signum() > 0) {
        problems.add("watts", "must not be set together with hour.");
      }
      if (watts.signum() > 0 != kwh.signum() > 0) {
        problems.add("kwh", "must be set together with watts, or neither.");
      }
    }

    BigDecimal perHour() {
      return hour.signum() > 0 ? hour : watts.multiply(kwh).movePointLeft(3);
    }
  }

  /** The model's name at its provider. */
  public Name name() {
    return new Name(provider, model);
  }

  Price price() {
    return new Price(
        name(),
        from.atStartOfDay(ZoneOffset.UTC).toInstant(),
        tokens.input(),
        tokens.cachedInput() == null ? tokens.input() : tokens.cachedInput(),
        tokens.output(),
        machine.perHour(),
        compareWith);
  }
}
