package dev.jarvis.model;

import static org.assertj.core.api.Assertions.assertThat;

import dev.jarvis.model.ChatStream.Usage;
import dev.jarvis.model.Prices.Name;
import dev.jarvis.model.Prices.Price;
import java.math.BigDecimal;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class PricesTest {
  private static final Instant OLD = Instant.parse("2026-01-01T00:00:00Z");
  private static final Instant NEW = Instant.parse("2026-07-01T00:00:00Z");
  private static final Name CLOUD = new Name("cloud", "large");
  private static final Name HOME = new Name("home", "small");

  private final Prices prices =
      new Prices(
          List.of(
              price(CLOUD, OLD, "0.15", "0.60", "0", null),
              price(CLOUD, NEW, "0.10", "0.40", "0", null),
              price(HOME, OLD, "0", "0", "0.36", CLOUD)));

  private static Price price(
      Name name, Instant from, String input, String output, String hour, @Nullable Name compare) {
    return new Price(
        name,
        from,
        new BigDecimal(input),
        new BigDecimal(input),
        new BigDecimal(output),
        new BigDecimal(hour),
        compare);
  }

  private static Models.Target target(Name name) {
    OllamaProvider provider =
        new OllamaProvider(
            ModelServerConfig.of(name.provider(), java.net.URI.create("http://127.0.0.1:1")));
    provider.close();
    return new Models.Target(provider, name.model());
  }

  private BigDecimal usd(Name name, Instant at, Usage usage, Duration compute) {
    return prices.cost(target(name), at, usage, compute).orElseThrow().usd();
  }

  @Test
  void tokensCostWhatThePriceOfTheirTimeSays() {
    Usage usage = new Usage(1_000_000, 1);

    assertThat(usd(CLOUD, NEW.minusMillis(1), usage, Duration.ZERO))
        .isEqualByComparingTo("0.1500006");
    assertThat(usd(CLOUD, NEW, usage, Duration.ZERO)).isEqualByComparingTo("0.1000004");
  }

  @Test
  void aModelOfOnesOwnCostsTimeAndTheOtherStandsBeside() {
    Prices.Cost cost =
        prices
            .cost(target(HOME), NEW, new Usage(1_000_000, 1_000_000), Duration.ofSeconds(10))
            .orElseThrow();

    assertThat(cost.usd()).isEqualByComparingTo("0.001");
    assertThat(cost.comparison()).isEqualByComparingTo("0.5");
  }

  @Test
  void withoutAPriceItIsUnknownAndNotFree() {
    assertThat(
            prices.cost(target(CLOUD), OLD.minusMillis(1), new Usage(1, 1), Duration.ofSeconds(1)))
        .isEmpty();
    assertThat(
            prices.cost(
                target(new Name("cloud", "other")), NEW, new Usage(1, 1), Duration.ofSeconds(1)))
        .isEmpty();
    assertThat(prices.perMillion(target(new Name("cloud", "other")))).isNaN();
  }

  @Test
  void aSingleTokenIsNotRoundedAway() {
    assertThat(usd(CLOUD, NEW, new Usage(1, 0), Duration.ZERO)).isEqualByComparingTo("0.0000001");
  }
}
