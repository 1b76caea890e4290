package dev.jarvis.price;

import static org.assertj.core.api.Assertions.assertThat;

import dev.jarvis.config.Configs;
import dev.jarvis.gateway.Cost;
import dev.jarvis.gateway.TargetName;
import dev.jarvis.gateway.Usage;
import java.math.BigDecimal;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PricesTest {
  private static final Instant OLD = Instant.parse("2026-01-01T00:00:00Z");
  private static final Instant NEW = Instant.parse("2026-07-01T00:00:00Z");
  private static final TargetName CLOUD = new TargetName("cloud", "large");
  private static final TargetName HOME = new TargetName("home", "small");

  private final Prices prices =
      Prices.of(
          List.of(
              price("cloud/large from=2026-01-01 input=0.15 output=0.60"),
              price("cloud/large from=2026-07-01 input=0.10 output=0.40"),
              price("home/small from=2026-01-01 hour=0.36 compare-with=cloud/large")));

  /** A price as the configuration has it: the model, then keys with values. */
  private static PriceConfig price(String text) {
    String[] words = text.split(" ", -1);
    Map<String, String> values = new HashMap<>();
    values.put("provider", words[0].split("/", 2)[0]);
    values.put("model", words[0].split("/", 2)[1]);
    for (String word : Arrays.asList(words).subList(1, words.length)) {
      values.put(word.split("=", 2)[0], word.split("=", 2)[1]);
    }
    return Configs.of(PriceConfig.class, values);
  }

  private static Price imported(String from, String input) {
    return new Price(
        CLOUD,
        Instant.parse(from),
        Price.Source.LITELLM,
        new TokenPrices(new BigDecimal(input), null, null, null, null, null, null),
        List.of(),
        BigDecimal.ZERO,
        null);
  }

  private static Cost cost(Prices prices, TargetName name, Instant at, Usage usage) {
    return prices.cost(name, at, usage, Duration.ZERO).orElseThrow();
  }

  /** The number of each kind in millions, in the order of the record. */
  private static Usage millions(String kinds) {
    List<Integer> all =
        Arrays.stream(kinds.split(" ", -1)).map(it -> Integer.parseInt(it) * 1_000_000).toList();
    return new Usage(
        all.get(0), all.get(1), all.get(2), all.get(3), all.get(4), all.get(5), all.get(6), false);
  }

  @Test
  void usesThePriceThatWasInForceAtTheTimeOfTheCall() {
    Usage usage = Usage.counted(1_000_000, 1);

    assertThat(cost(prices, CLOUD, NEW.minusMillis(1), usage).usd())
        .isEqualByComparingTo("0.1500006");
    assertThat(cost(prices, CLOUD, NEW, usage).usd()).isEqualByComparingTo("0.1000004");
  }

  @Test
  void pricesASelfHostedModelByTimeAndComparesItByTokens() {
    Cost cost =
        prices
            .cost(HOME, NEW, Usage.counted(1_000_000, 1_000_000), Duration.ofSeconds(10))
            .orElseThrow();

    assertThat(cost.usd()).isEqualByComparingTo("0.001");
    assertThat(cost.comparison()).isEqualByComparingTo("0.5");
  }

  @Test
  void returnsNoCostWithoutAPrice() {
    TargetName other = new TargetName("cloud", "other");

    assertThat(prices.cost(CLOUD, OLD.minusMillis(1), Usage.counted(1, 1), Duration.ofSeconds(1)))
        .isEmpty();
    assertThat(prices.cost(other, NEW, Usage.counted(1, 1), Duration.ofSeconds(1))).isEmpty();
    assertThat(prices.perMillion(other)).isNaN();
    assertThat(prices.perMillion(CLOUD)).isEqualTo(0.5);
  }

  @ParameterizedTest
  @CsvSource({
    // tokens: fresh, cached, written, audio, answer, reasoning, audio, each times a million; USD
    "input=1 output=10, 1 0 0 0 0 0 0, 1",
    "input=1 output=10, 0 1 1 1 0 0 0, 3", // as input
    "input=1 output=10, 0 0 0 0 1 1 1, 30", // as output
    "input=1 output=10 cached-input=0.1, 1 2 0 0 3 0 0, 31.2",
    "input=1 output=10 cache-write=1.25, 0 0 4 0 0 0 0, 5",
    "input=1 output=10 audio-input=40, 2 0 0 1 0 0 0, 42",
    "input=1 output=10 reasoning=20, 0 0 0 0 1 1 0, 30",
    "input=1 output=10 audio-output=80, 0 0 0 0 1 0 1, 90",
    "input=1 output=10 reasoning=0, 0 0 0 0 0 5 0, 0",
    "output=10, 7 0 0 0 0 0 0, 0",
  })
  void pricesEachKindOfTokens(String amounts, String kinds, BigDecimal usd) {
    Prices of = Prices.of(List.of(price("cloud/large " + amounts)));

    assertThat(cost(of, CLOUD, NEW, millions(kinds)).usd()).isEqualByComparingTo(usd);
  }

  @ParameterizedTest
  @CsvSource({
    // input, cached input, output tokens; USD
    "200000, 0, 0, 0.2", // not above
    "200001, 0, 0, 0.400002",
    "500000, 0, 0, 1",
    "500001, 0, 0, 1.500003",
    "1, 200000, 0, 0.040002", // cached ones belong to the prompt; their price is as without the
    // tier
    "1, 0, 1000000, 10.000001", // the length of the answer does not matter
    "200001, 0, 1000000, 15.400002", // the whole answer is dearer
    "500001, 0, 1000000, 11.500003", // only the tier of the prompt counts
  })
  void theLengthOfThePromptDecidesAboutTheWholeCall(
      int fresh, int cached, int output, BigDecimal usd) {
    Prices of =
        Prices.of(
            List.of(
                price(
                    "cloud/large input=1 cached-input=0.2 output=10 tiers.0.above=200000 tiers.0.input=2 tiers.0.output=15 tiers.1.above=500000 tiers.1.input=3")));

    assertThat(cost(of, CLOUD, NEW, new Usage(fresh, cached, output, 0, false)).usd())
        .isEqualByComparingTo(usd);
  }

  @Test
  void doesNotRoundASingleTokenToZero() {
    assertThat(cost(prices, CLOUD, NEW, Usage.counted(1, 0)).usd())
        .isEqualByComparingTo("0.0000001");
  }

  @ParameterizedTest
  @CsvSource({
    "0.0000005, 1, 0.000000000000", // half a trillionth: to the even neighbour
    "0.0000005, 3, 0.000000000002",
    "0.0000005, 2, 0.000000000001",
    "0.00000033, 3, 0.000000000001", // rounded once, not for each token
  })
  void roundsOnceToTheEvenNeighbour(String input, int tokens, String usd) {
    Prices of = Prices.of(List.of(price("cloud/large input=" + input)));

    assertThat(cost(of, CLOUD, NEW, Usage.counted(tokens, 0)).usd()).isEqualTo(usd);
  }

  @ParameterizedTest
  @CsvSource({
    // time; amount in force, of configured 1 from 2026-03-01 and imported 2 to 5
    "2026-02-10T00:00:00Z, 2",
    "2026-02-28T23:59:59Z, 2",
    "2026-03-01T00:00:00Z, 1",
    "2026-03-01T12:00:00Z, 1", // an imported one of the same day
    "2026-03-02T11:59:59Z, 1",
    "2026-03-02T12:00:00Z, 4", // of a later day
    "2026-03-02T18:00:00Z, 5",
  })
  void anImportedPriceOfALaterDayReplacesAConfiguredOne(Instant at, BigDecimal perMillion) {
    Prices both = Prices.of(List.of(price("cloud/large from=2026-03-01 input=1")));
    both.imported(
        List.of(
            imported("2026-03-02T18:00:00Z", "5"),
            imported("2026-03-02T18:00:00Z", "99"), // an earlier revision
            imported("2026-03-02T12:00:00Z", "4"),
            imported("2026-03-01T12:00:00Z", "3"),
            imported("2026-02-10T00:00:00Z", "2")));

    assertThat(cost(both, CLOUD, at, Usage.counted(1_000_000, 0)).usd())
        .isEqualByComparingTo(perMillion);
  }

  @Test
  void versionsNameModelTimeAndSourceAndChangeWithTheAmounts() {
    String base = "cloud/large from=2026-07-01 input=0.1 output=0.4";

    assertThat(price(base).price().version())
        .isEqualTo(price(base.replace("0.4", "0.40")).price().version())
        .matches("cloud/large@2026-07-01#config-[0-9a-f]{8}");
    assertThat(imported("2026-07-01T12:00:01Z", "0.1").version())
        .matches("cloud/large@2026-07-01T12:00:01Z#litellm-[0-9a-f]{8}");
    List<String> others =
        List.of(
            base,
            base + " cached-input=0.1",
            base + " cache-write=0.1",
            base + " audio-input=0.1",
            base + " reasoning=0.1",
            base + " audio-output=0.1",
            base + " hour=0.1",
            base + " tiers.0.above=10 tiers.0.input=1",
            base + " tiers.0.above=20 tiers.0.input=1");
    assertThat(others.stream().map(it -> price(it).price().version()).collect(Collectors.toSet()))
        .hasSameSizeAs(others);
    assertThat(cost(prices, CLOUD, NEW, Usage.NONE).priceVersion())
        .isEqualTo(price("cloud/large from=2026-07-01 input=0.10 output=0.40").price().version());
  }
}
