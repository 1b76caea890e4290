package dev.jarvis.routing;

import static org.assertj.core.api.Assertions.assertThat;

import dev.jarvis.config.Configs;
import dev.jarvis.gateway.Cost;
import dev.jarvis.gateway.TargetName;
import dev.jarvis.gateway.Usage;
import dev.jarvis.provider.ModelServerConfig;
import dev.jarvis.provider.openai.OpenAiProvider;
import dev.jarvis.routing.Prices.Name;
import dev.jarvis.routing.Prices.Price;
import java.math.BigDecimal;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
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

  private static TargetName target(Name name) {
    return new TargetName(name.provider(), name.model());
  }

  private double perMillion(Name name) {
    try (OpenAiProvider provider =
        new OpenAiProvider(
            Configs.of(
                ModelServerConfig.class, name.provider(), Map.of("url", "http://127.0.0.1:1")))) {
      return prices.perMillion(new Catalogue.Target(provider, name.model()));
    }
  }

  private BigDecimal usd(Name name, Instant at, Usage usage, Duration compute) {
    return prices.cost(target(name), at, usage, compute).orElseThrow().usd();
  }

  @Test
  void usesThePriceThatWasValidAtTheTimeOfTheCall() {
    Usage usage = Usage.counted(1_000_000, 1);

    assertThat(usd(CLOUD, NEW.minusMillis(1), usage, Duration.ZERO))
        .isEqualByComparingTo("0.1500006");
    assertThat(usd(CLOUD, NEW, usage, Duration.ZERO)).isEqualByComparingTo("0.1000004");
  }

  @Test
  void pricesASelfHostedModelByTimeAndComparesItByTokens() {
    Cost cost =
        prices
            .cost(target(HOME), NEW, Usage.counted(1_000_000, 1_000_000), Duration.ofSeconds(10))
            .orElseThrow();

    assertThat(cost.usd()).isEqualByComparingTo("0.001");
    assertThat(cost.comparison()).isEqualByComparingTo("0.5");
  }

  @Test
  void returnsNoCostWithoutAPrice() {
    assertThat(
            prices.cost(
                target(CLOUD), OLD.minusMillis(1), Usage.counted(1, 1), Duration.ofSeconds(1)))
        .isEmpty();
    assertThat(
            prices.cost(
                target(new Name("cloud", "other")),
                NEW,
                Usage.counted(1, 1),
                Duration.ofSeconds(1)))
        .isEmpty();
    assertThat(perMillion(new Name("cloud", "other"))).isNaN();
    assertThat(perMillion(CLOUD)).isEqualTo(0.5);
  }

  @Test
  void pricesCachedTokensSeparatelyAndReasoningAsOutput() {
    Prices expensive =
        new Prices(
            List.of(
                new Price(
                    CLOUD,
                    OLD,
                    new BigDecimal(1),
                    new BigDecimal("0.1"),
                    new BigDecimal(10),
                    BigDecimal.ZERO,
                    null)));
    Usage usage = new Usage(1_000_000, 2_000_000, 3_000_000, 4_000_000, false);

    assertThat(expensive.cost(target(CLOUD), OLD, usage, Duration.ZERO).orElseThrow().usd())
        .isEqualByComparingTo("71.2");
  }

  @Test
  void doesNotRoundASingleTokenToZero() {
    assertThat(usd(CLOUD, NEW, Usage.counted(1, 0), Duration.ZERO))
        .isEqualByComparingTo("0.0000001");
  }
}
