package dev.jarvis.gateway;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * What the limits left to a caller when a call was counted.
 *
 * @param requests null if their number is not limited
 * @param tokens likewise
 */
public record RateStatus(@Nullable Allowance requests, @Nullable Allowance tokens) {
  /**
   * Of one limit.
   *
   * @param limit for a minute
   * @param reset after how long all of it is there again
   */
  public record Allowance(long limit, long remaining, Duration reset) {}
}
