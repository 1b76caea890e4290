package dev.jarvis.price;

import dev.jarvis.gateway.Usage;
import java.math.BigDecimal;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Prices in USD of a million tokens of each kind. One that is null has its default: nothing for
 * {@code input} and {@code output}, as {@code input} for the other kinds of input, and as {@code
 * output} for those of output.
 */
public record TokenPrices(
    @Nullable BigDecimal input,
    @Nullable BigDecimal cachedInput,
    @Nullable BigDecimal cacheWrite,
    @Nullable BigDecimal audioInput,
    @Nullable BigDecimal output,
    @Nullable BigDecimal reasoning,
    @Nullable BigDecimal audioOutput) {
  private static final int MILLION_DIGITS = 6;

  /** Writes each amount in one way, so that equal prices are equal. */
  public TokenPrices {
    input = plain(input);
    cachedInput = plain(cachedInput);
    cacheWrite = plain(cacheWrite);
    audioInput = plain(audioInput);
    output = plain(output);
    reasoning = plain(reasoning);
    audioOutput = plain(audioOutput);
  }

  private static @Nullable BigDecimal plain(@Nullable BigDecimal amount) {
    if (amount == null) {
      return null;
    }
    BigDecimal stripped = amount.stripTrailingZeros();
    return stripped.scale() < 0 ? stripped.setScale(0) : stripped;
  }

  /** These prices, and those of a base where there is none here. */
  TokenPrices over(TokenPrices base) {
    return new TokenPrices(
        input == null ? base.input : input,
        cachedInput == null ? base.cachedInput : cachedInput,
        cacheWrite == null ? base.cacheWrite : cacheWrite,
        audioInput == null ? base.audioInput : audioInput,
        output == null ? base.output : output,
        reasoning == null ? base.reasoning : reasoning,
        audioOutput == null ? base.audioOutput : audioOutput);
  }

  /** What tokens cost in USD, exactly. */
  BigDecimal usd(Usage usage) {
    BigDecimal in = or(input, BigDecimal.ZERO);
    BigDecimal out = or(output, BigDecimal.ZERO);
    return times(in, usage.freshInputTokens())
        .add(times(or(cachedInput, in), usage.cachedInputTokens()))
        .add(times(or(cacheWrite, in), usage.cacheWriteTokens()))
        .add(times(or(audioInput, in), usage.audioInputTokens()))
        .add(times(out, usage.answerTokens()))
        .add(times(or(reasoning, out), usage.reasoningTokens()))
        .add(times(or(audioOutput, out), usage.audioOutputTokens()))
        .movePointLeft(MILLION_DIGITS);
  }

  /** Every amount in a fixed order, for a checksum. */
  String text() {
    return Stream.of(input, cachedInput, cacheWrite, audioInput, output, reasoning, audioOutput)
        .map(it -> it == null ? "" : it.toPlainString())
        .collect(Collectors.joining(","));
  }

  /** The prices of a million input and of a million output tokens, added. */
  BigDecimal sum() {
    return or(input, BigDecimal.ZERO).add(or(output, BigDecimal.ZERO));
  }

  private static BigDecimal or(@Nullable BigDecimal amount, BigDecimal byDefault) {
    return amount == null ? byDefault : amount;
  }

  private static BigDecimal times(BigDecimal amount, int tokens) {
    return amount.multiply(BigDecimal.valueOf(tokens));
  }
}
