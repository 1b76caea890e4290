package dev.jarvis.model;

import dev.failsafe.CircuitBreaker;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/** What this replica has lately seen of one model at one provider. Thread-safe. */
final class TargetState {
  /** Half of ten answers in a row failed: the target is left alone for a while. */
  private static final int FAILURES = 5;

  private static final int OF = 10;
  private static final Duration PAUSE = Duration.ofSeconds(10);

  /** Weight of the newest time to first token in the moving average. */
  private static final double NEWEST = 0.2;

  private final CircuitBreaker<Object> breaker =
      CircuitBreaker.builder().withFailureThreshold(FAILURES, OF).withDelay(PAUSE).build();
  private final AtomicInteger busy = new AtomicInteger();
  private final AtomicReference<@Nullable Double> firstTokenSeconds = new AtomicReference<>();

  /**
   * Whether it has failed so often that it is left alone. After ten seconds one try is let through.
   */
  boolean open() {
    return breaker.isOpen() && breaker.getRemainingDelay().isPositive();
  }

  int busy() {
    return busy.get();
  }

  /** Moving average of the time to the first token; null before the first answer. */
  @Nullable Duration firstToken() {
    Double seconds = firstTokenSeconds.get();
    return seconds == null ? null : Duration.ofNanos((long) (seconds * 1e9));
  }

  void begun() {
    busy.incrementAndGet();
    breaker.tryAcquirePermit(); // lets a half-open breaker count this try
  }

  void firstTokenAfter(Duration time) {
    double seconds = time.toNanos() / 1e9;
    firstTokenSeconds.accumulateAndGet(
        seconds, (old, now) -> old == null ? now : now == null ? old : old + NEWEST * (now - old));
  }

  void ended(boolean failed) {
    busy.decrementAndGet();
    if (failed) {
      breaker.recordFailure();
    } else {
      breaker.recordSuccess();
    }
  }
}
