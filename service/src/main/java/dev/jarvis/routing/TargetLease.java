package dev.jarvis.routing;

import java.time.Duration;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * An attempt in progress, as its target sees it: counts as one busy slot until it ends, and reports
 * speed and success to the target's statistics and circuit breaker. Used by one thread.
 */
final class TargetLease {
  /** A target that has sent nothing for so long has failed, even if the client has left. */
  private static final Duration SILENCE = Duration.ofSeconds(30);

  private final TargetStatistics statistics;
  private final CircuitBreaker.Permit permit;
  private final LongSupplier nanoTime;
  private final long startNanos;
  private boolean silent = true;
  private boolean ended;

  TargetLease(TargetStatistics statistics, CircuitBreaker.Permit permit, LongSupplier nanoTime) {
    this.statistics = statistics;
    this.permit = permit;
    this.nanoTime = nanoTime;
    this.startNanos = nanoTime.getAsLong();
    statistics.attemptBegan();
  }

  /** The recent output speed of the target; NaN if not known. */
  double recentTokensPerSecond() {
    return statistics.tokensPerSecond();
  }

  /** Records the output speed of this answer; NaN if not known. */
  void tokensPerSecond(double tokensPerSecond) {
    statistics.recordTokensPerSecond(tokensPerSecond);
  }

  /** Records the time to the first token of this answer; null if not known. */
  void timeToFirstToken(@Nullable Duration time) {
    if (time != null) {
      statistics.recordTimeToFirstToken(time);
    }
  }

  /** The target has begun to answer. */
  void began() {
    permit.began();
  }

  /** The target has sent the first output of the model. */
  void spoke() {
    silent = false;
  }

  /**
   * The target has sent the whole answer.
   *
   * @param outputTokens of one of its choices
   */
  void answered(int outputTokens) {
    statistics.recordAnswer();
    statistics.recordOutput(outputTokens);
  }

  /** Ends the lease; only the first call of this or {@link #abort} has an effect. */
  void end(CircuitBreaker.Verdict verdict) {
    if (!ended) {
      ended = true;
      statistics.attemptEnded();
      permit.end(verdict);
    }
  }

  /**
   * Ends the lease of an answer that the client aborted. This says nothing about the target, unless
   * it was silent for so long that it is the likely reason.
   *
   * @param outputExpected whether output should have come by now: a stream's first token comes
   *     soon, a whole answer may take minutes
   */
  void abort(boolean outputExpected) {
    boolean tooSilent =
        outputExpected && silent && nanoTime.getAsLong() - startNanos > SILENCE.toNanos();
    end(tooSilent ? CircuitBreaker.Verdict.FAILED : CircuitBreaker.Verdict.NONE);
  }
}
