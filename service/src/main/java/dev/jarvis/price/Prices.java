package dev.jarvis.price;

import dev.jarvis.gateway.Cost;
import dev.jarvis.gateway.TargetName;
import dev.jarvis.gateway.Usage;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The prices of models, configured and imported. The newest one that has begun is in force; of one
 * day, the configured one. Thread-safe.
 */
public final class Prices {
  /** Decimal places of a cost, as in the ledger: a trillionth of a dollar. */
  public static final int SCALE = 12;

  /** So that the first one that has begun is in force. */
  private static final Comparator<Price> ORDER =
      Comparator.comparing(Price::day)
          .reversed()
          .thenComparing(Price::source)
          .thenComparing(Price::from, Comparator.reverseOrder());

  private final List<Price> configured;
  private volatile Map<TargetName, List<Dated>> byName;

  private record Dated(Price price, String version) {}

  public Prices(List<Price> configured) {
    this.configured = List.copyOf(configured);
    this.byName = index(List.of());
  }

  /** The configured prices. */
  public static Prices of(List<PriceConfig> prices) {
    return new Prices(prices.stream().map(PriceConfig::price).toList());
  }

  /** Replaces the imported prices; of those from the same time, the first one counts. */
  public void imported(List<Price> imported) {
    byName = index(imported);
  }

  private Map<TargetName, List<Dated>> index(List<Price> imported) {
    return Stream.concat(configured.stream(), imported.stream())
        .sorted(ORDER)
        .collect(
            Collectors.groupingBy(
                Price::name,
                Collectors.mapping(it -> new Dated(it, it.version()), Collectors.toList())));
  }

  /** The prices of a model, the one that begins last first. */
  public List<Price> of(TargetName name) {
    return byName.getOrDefault(name, List.of()).stream().map(Dated::price).toList();
  }

  /**
   * Calculates the cost of an answer.
   *
   * @param at when the call began
   * @param compute how long the machine worked for it
   * @return empty if the model has no price at that time: unknown, not free
   */
  public Optional<Cost> cost(TargetName target, Instant at, Usage usage, Duration compute) {
    return find(target, at)
        .map(
            it -> {
              BigDecimal usd = it.price().usd(usage).add(it.price().usd(compute));
              return new Cost(rounded(usd), comparison(it.price(), at, usage), it.version());
            });
  }

  private @Nullable BigDecimal comparison(Price price, Instant at, Usage usage) {
    return Optional.ofNullable(price.compareWith())
        .flatMap(it -> find(it, at))
        .map(it -> rounded(it.price().usd(usage)))
        .orElse(null);
  }

  /**
   * The current prices of a million input and of a million output tokens, added, to compare targets
   * by; NaN without a price.
   */
  public double perMillion(TargetName target) {
    return find(target, Instant.now())
        .map(it -> it.price().tokens().sum().doubleValue())
        .orElse(Double.NaN);
  }

  private Optional<Dated> find(TargetName name, Instant at) {
    return byName.getOrDefault(name, List.of()).stream()
        .filter(it -> !it.price().from().isAfter(at))
        .findFirst();
  }

  private static BigDecimal rounded(BigDecimal usd) {
    return usd.setScale(SCALE, RoundingMode.HALF_EVEN);
  }
}
