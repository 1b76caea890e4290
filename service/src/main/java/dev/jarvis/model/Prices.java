package dev.jarvis.model;

import java.time.Instant;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/** What tokens cost, by provider and model, each price from a time on. */
public record Prices(List<Price> prices) {

  /** The newest first, so that the first one that has begun is the one that holds. */
  public Prices {
    prices = prices.stream().sorted(Comparator.comparing(Price::from).reversed()).toList();
  }

  /**
   * USD for a million tokens each.
   *
   * @param from since when it holds
   * @param cachedInput of input tokens that the server had in its cache
   */
  public record Price(
      String provider,
      String model,
      Instant from,
      double input,
      double cachedInput,
      double output) {}

  /** The price that holds at a time; empty if there is none. */
  public Optional<Price> at(Models.Target target, Instant time) {
    return prices.stream()
        .filter(it -> it.provider().equals(target.provider().name()))
        .filter(it -> it.model().equals(target.model()))
        .filter(it -> !it.from().isAfter(time))
        .findFirst();
  }

  /** A million input and a million output tokens now, to compare by; NaN without a price. */
  public double perMillion(Models.Target target) {
    return at(target, Instant.now()).map(it -> it.input() + it.output()).orElse(Double.NaN);
  }
}
