package dev.jarvis.price;

import dev.jarvis.config.Checked;
import dev.jarvis.config.Default;
import dev.jarvis.config.Doc;
import dev.jarvis.config.Inline;
import dev.jarvis.config.Problems;
import dev.jarvis.config.Range;
import dev.jarvis.gateway.TargetName;
import java.math.BigDecimal;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** A price of a model's answers, in USD. */
public record PriceConfig(
    @Doc("A provider's name, also of one that is not configured.") String provider,
    @Doc("The model's name there.") @Range(min = 1, max = MAX_NAME) String model,
    @Doc("The day (UTC) from which the price holds, in quotes.") @Default("1970-01-01")
        LocalDate from,
    @Inline Tokens tokens,
    @Doc("Prices of calls with longer prompts. The tier of the prompt holds for the whole call.")
        List<Tier> tiers,
    @Inline Machine machine,
    @Doc("PROVIDER/MODEL whose price for the same tokens is shown for comparison.")
        @Nullable PricedModel compareWith)
    implements Checked {

  static final int MAX_NAME = 200;

  public PriceConfig {
    tiers = List.copyOf(tiers);
  }

  /** Prices of a million tokens. */
  public record Tokens(
      @Doc("A million input tokens.") @Default("0") BigDecimal input,
      @Doc("A million input tokens that the server had in its cache. Empty: as input.")
          @Nullable BigDecimal cachedInput,
      @Doc("A million input tokens that the server wrote to its cache. Empty: as input.")
          @Nullable BigDecimal cacheWrite,
      @Doc("A million input tokens of audio. Empty: as input.") @Nullable BigDecimal audioInput,
      @Doc("A million output tokens.") @Default("0") BigDecimal output,
      @Doc("A million output tokens of reasoning. Empty: as output.")
          @Nullable BigDecimal reasoning,
      @Doc("A million output tokens of audio. Empty: as output.")
          @Nullable BigDecimal audioOutput) {
    TokenPrices prices() {
      return new TokenPrices(
          input, cachedInput, cacheWrite, audioInput, output, reasoning, audioOutput);
    }
  }

  /** Prices of a million tokens in calls with long prompts. */
  public record Tier(
      @Doc("The number of input tokens, cached or not, that a prompt must exceed.")
          @Range(min = 1, max = 1_000_000_000)
          int above,
      @Doc("A million input tokens. Empty, here and below: as without the tier.")
          @Nullable BigDecimal input,
      @Doc("A million cached input tokens.") @Nullable BigDecimal cachedInput,
      @Doc("A million input tokens written to the cache.") @Nullable BigDecimal cacheWrite,
      @Doc("A million input tokens of audio.") @Nullable BigDecimal audioInput,
      @Doc("A million output tokens.") @Nullable BigDecimal output,
      @Doc("A million output tokens of reasoning.") @Nullable BigDecimal reasoning,
      @Doc("A million output tokens of audio.") @Nullable BigDecimal audioOutput) {
    Price.Tier price() {
      return new Price.Tier(
          above,
          new TokenPrices(
              input, cachedInput, cacheWrite, audioInput, output, reasoning, audioOutput));
    }
  }

  /** The price of a machine's time. */
  public record Machine(
      @Doc(
              "For a self-hosted model: an hour of its machine, which the answers that it gives at the same time share. Alternatively set watts and kwh.")
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

  @Override
  public void check(Problems problems) {
    Set<Integer> lengths = new HashSet<>();
    for (int i = 0; i < tiers.size(); i++) {
      if (!lengths.add(tiers.get(i).above())) {
        problems.add("tiers.%d.above".formatted(i), "must differ from that of another tier.");
      }
    }
  }

  /** The model's name at its provider. */
  public TargetName name() {
    return new TargetName(provider, model);
  }

  Price price() {
    return new Price(
        name(),
        from.atStartOfDay(ZoneOffset.UTC).toInstant(),
        Price.Source.CONFIG,
        tokens.prices(),
        tiers.stream().map(Tier::price).toList(),
        machine.perHour(),
        compareWith == null ? null : compareWith.name());
  }
}
