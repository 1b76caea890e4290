package dev.jarvis.routing;

import dev.jarvis.config.Allowed;
import dev.jarvis.gateway.Cost;
import dev.jarvis.gateway.TargetName;
import dev.jarvis.gateway.Usage;
import java.math.BigDecimal;
import java.math.MathContext;
import java.math.RoundingMode;
import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** The prices of models, each valid from a certain time on. */
public record Prices(List<Price> prices) {
  private static final int MILLION_DIGITS = 6;
  private static final BigDecimal NANOS_OF_AN_HOUR =
      BigDecimal.valueOf(Duration.ofHours(1).toNanos());

  /** Decimal places of a cost, as in the ledger: a trillionth of a dollar. */
  public static final int SCALE = 12;

  /** The configured prices. */
  public static Prices of(List<PriceConfig> prices) {
    return new Prices(prices.stream().map(PriceConfig::price).toList());
  }

  /** Sorts the newest price first, so that the first one that has begun is the valid one. */
  public Prices {
    prices = prices.stream().sorted(Comparator.comparing(Price::from).reversed()).toList();
  }

  /**
   * The price of a model, in USD.
   *
   * @param from when it becomes valid
   * @param input of a million input tokens
   * @param cachedInput of a million input tokens from the server's cache
   * @param output of a million output tokens
   * @param hour of an hour of the machine's time: a self-hosted model costs time, not tokens
   * @param compareWith the model whose price is shown for comparison; null if there is none
   */
  public record Price(
      Name name,
      Instant from,
      BigDecimal input,
      BigDecimal cachedInput,
      BigDecimal output,
      BigDecimal hour,
      @Nullable Name compareWith) {}

  /** A model at a provider. */
  @Allowed("PROVIDER/MODEL")
  public record Name(String provider, String model) {
    /**
     * Parses {@code provider/model}.
     *
     * @throws IllegalArgumentException if the text has another form
     */
    public static Name parse(String text) {
      int slash = text.indexOf('/');
      if (slash < 1 || slash == text.length() - 1) {
        throw new IllegalArgumentException("not PROVIDER/MODEL");
      }
      return new Name(text.substring(0, slash), text.substring(slash + 1));
    }
  }

  /**
   * Calculates the cost of an answer.
   *
   * @param at when the call began
   * @param compute how long the machine worked
   * @return empty if the model has no price at that time: unknown, not free
   */
  public Optional<Cost> cost(TargetName target, Instant at, Usage usage, Duration compute) {
    return find(new Name(target.provider(), target.model()), at)
        .map(
            price -> {
              BigDecimal hours =
                  BigDecimal.valueOf(compute.toNanos())
                      .divide(NANOS_OF_AN_HOUR, MathContext.DECIMAL64);
              BigDecimal usd = tokens(price, usage).add(price.hour().multiply(hours));
              Name other = price.compareWith();
              BigDecimal comparison =
                  other == null
                      ? null
                      : find(other, at).map(it -> rounded(tokens(it, usage))).orElse(null);
              return new Cost(rounded(usd), comparison);
            });
  }

  /**
   * The current prices of a million input and of a million output tokens, added, to compare targets
   * by; NaN without a price.
   */
  public double perMillion(Catalogue.Target target) {
    return find(new Name(target.provider().name(), target.model()), Instant.now())
        .map(it -> it.input().add(it.output()).doubleValue())
        .orElse(Double.NaN);
  }

  private Optional<Price> find(Name name, Instant at) {
    return prices.stream()
        .filter(it -> it.name().equals(name) && !it.from().isAfter(at))
        .findFirst();
  }

  private static BigDecimal tokens(Price price, Usage usage) {
    return price
        .input()
        .multiply(BigDecimal.valueOf(usage.freshInputTokens()))
        .add(price.cachedInput().multiply(BigDecimal.valueOf(usage.cachedInputTokens())))
        .add(price.output().multiply(BigDecimal.valueOf(usage.outputTokens())))
        .movePointLeft(MILLION_DIGITS);
  }

  private static BigDecimal rounded(BigDecimal usd) {
    return usd.setScale(SCALE, RoundingMode.HALF_EVEN);
  }
}
