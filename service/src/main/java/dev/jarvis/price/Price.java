package dev.jarvis.price;

import dev.jarvis.gateway.TargetName;
import dev.jarvis.gateway.Usage;
import java.math.BigDecimal;
import java.math.MathContext;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.time.temporal.ChronoUnit;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.zip.CRC32;
import org.jspecify.annotations.Nullable;

/**
 * What a model costs from a time on.
 *
 * @param tokens of prompts of any length that no tier is for
 * @param tiers for longer prompts, the longest first
 * @param hour USD of an hour of the machine: a self-hosted model costs time, not tokens
 * @param compareWith the model whose price for the same tokens is shown for comparison
 */
public record Price(
    TargetName name,
    Instant from,
    Source source,
    TokenPrices tokens,
    List<Tier> tiers,
    BigDecimal hour,
    @Nullable TargetName compareWith) {
  private static final BigDecimal NANOS_OF_AN_HOUR =
      BigDecimal.valueOf(Duration.ofHours(1).toNanos());

  /** Where a price comes from. */
  public enum Source {
    CONFIG,
    LITELLM;

    /** The name in versions, in the table and in the API. */
    public String id() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /**
   * Prices of calls with long prompts: they replace those of the price for the whole call.
   *
   * @param above the number of input tokens that a prompt must exceed
   */
  public record Tier(int above, TokenPrices tokens) {}

  public Price {
    tiers = tiers.stream().sorted(Comparator.comparing(Tier::above).reversed()).toList();
  }

  /** The day (UTC) on which it begins. */
  LocalDate day() {
    return from.atZone(ZoneOffset.UTC).toLocalDate();
  }

  /**
   * What tokens cost in USD, exactly. The length of the prompt decides about the whole call, as at
   * <a href="https://ai.google.dev/gemini-api/docs/pricing">Google</a> and <a
   * href="https://docs.perplexity.ai/docs/gateway/models">others</a>, and as LiteLLM calculates.
   */
  BigDecimal usd(Usage usage) {
    return tiers.stream()
        .filter(it -> usage.inputTokens() > it.above())
        .findFirst()
        .map(it -> it.tokens().over(tokens))
        .orElse(tokens)
        .usd(usage);
  }

  /** What a time of the machine costs in USD. */
  BigDecimal usd(Duration compute) {
    BigDecimal hours =
        BigDecimal.valueOf(compute.toNanos()).divide(NANOS_OF_AN_HOUR, MathContext.DECIMAL64);
    return hour.multiply(hours);
  }

  /**
   * A name that tells the model, the time, the source and by a checksum the amounts, such as {@code
   * cloud/large@2026-07-01#config-1c291ca3}.
   */
  public String version() {
    StringBuilder amounts = new StringBuilder(tokens.text());
    tiers.forEach(
        it -> amounts.append('|').append(it.above()).append(':').append(it.tokens().text()));
    amounts.append('|').append(hour.stripTrailingZeros().toPlainString());
    CRC32 checksum = new CRC32();
    checksum.update(amounts.toString().getBytes(StandardCharsets.UTF_8));
    boolean midnight = from.equals(from.truncatedTo(ChronoUnit.DAYS));
    return "%s@%s#%s-%s"
        .formatted(
            name,
            midnight ? day() : from,
            source.id(),
            HexFormat.of().toHexDigits((int) checksum.getValue()));
  }
}
