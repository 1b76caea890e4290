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

/** What answers cost, by provider and model, each price from a time on. */
public record Prices(List<Price> prices) {
  private static final int MILLION_DIGITS = 6;
  private static final BigDecimal NANOS_OF_AN_HOUR =
      BigDecimal.valueOf(Duration.ofHours(1).toNanos());

  /** Digits after the point: a trillionth of a dollar, as the ledger keeps it. */
  public static final int SCALE = 12;

  /** The configured prices. */
  public static Prices of(List<PriceConfig> prices) {
    return new Prices(prices.stream().map(PriceConfig::price).toList());
  }

  /** The newest first, so that the first one that has begun is the one that holds. */
  public Prices {
    prices = prices.stream().sorted(Comparator.comparing(Price::from).reversed()).toList();
  }

  /**
   * What a model costs, in USD.
   *
   * @param from since when it holds
   * @param input for a million tokens of questions
   * @param cachedInput for a million of them that the server had in its cache
   * @param output for a million tokens of answers
   * @param hour for an hour of the machine that answers: a model of one's own costs time, not
   *     tokens
   * @param compareWith whose price is shown beside this one
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
     * Reads {@code provider/model}.
     *
     * @throws IllegalArgumentException if the text is not of that form
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
   * Prices an answer.
   *
   * @param at when it was asked for
   * @param compute how long it took the machine
   * @return empty if the model has no price at that time: unknown, and not free
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
   * A million input and a million output tokens now, to compare by; NaN without a price of tokens.
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
