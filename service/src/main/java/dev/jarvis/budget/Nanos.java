package dev.jarvis.budget;

import java.math.BigDecimal;
import java.math.RoundingMode;

/** Amounts of money as whole billionths of a dollar, which Redis adds exactly below 2^53. */
final class Nanos {
  private static final int DIGITS = 9;

  /** Of one call: a million dollars or so, so that sums stay below 2^53. */
  private static final long MOST = 1L << 50;

  private Nanos() {}

  /** What is spent, rounded up. */
  static long of(BigDecimal usd) {
    return rounded(usd, RoundingMode.CEILING);
  }

  /** What one call reserves: rounded up, and no more than any budget has. */
  static long reserved(BigDecimal usd) {
    return Math.min(of(usd), MOST);
  }

  /** What may be spent, rounded down. */
  static long below(BigDecimal usd) {
    return rounded(usd, RoundingMode.FLOOR);
  }

  private static long rounded(BigDecimal usd, RoundingMode mode) {
    BigDecimal nanos = usd.movePointRight(DIGITS).setScale(0, mode);
    return nanos.min(BigDecimal.valueOf(1L << 53)).longValueExact();
  }

  static BigDecimal usd(long nanos) {
    return BigDecimal.valueOf(nanos, DIGITS);
  }

  /** For messages: at least cents, and no zeros after them. */
  static String text(long nanos) {
    BigDecimal usd = usd(nanos).stripTrailingZeros();
    return (usd.scale() < 2 ? usd.setScale(2) : usd).toPlainString();
  }
}
