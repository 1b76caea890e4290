package dev.jarvis.routing;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/** What this replica has lately seen of one model at one provider. Thread-safe. */
final class TargetStatistics {
  /** Weight of the newest time to first token in the moving average. */
  private static final double NEWEST = 0.2;

  private static final Duration LATELY = Duration.ofMinutes(5);

  private final CircuitBreaker breaker = new CircuitBreaker(System::nanoTime);
  private volatile @Nullable Long answeredAt;
  private final AtomicInteger busy = new AtomicInteger();
  private final AtomicReference<@Nullable Double> firstTokenSeconds = new AtomicReference<>();
  private final AtomicReference<@Nullable Double> tokensPerSecond = new AtomicReference<>();

  CircuitBreaker breaker() {
    return breaker;
  }

  int busy() {
    return busy.get();
  }

  /** Moving average of the time to the first token; null before the first answer. */
  @Nullable Duration firstToken() {
    Double seconds = firstTokenSeconds.get();
    return seconds == null ? null : Duration.ofNanos((long) (seconds * 1e9));
  }

  /** Whether it has answered in the last five minutes. */
  boolean answeredLately() {
    Long at = answeredAt;
    return at != null && System.nanoTime() - at < LATELY.toNanos();
  }

  void answered() {
    answeredAt = System.nanoTime();
  }

  /** Moving average; NaN before the first answer. */
  double tokensPerSecond() {
    Double known = tokensPerSecond.get();
    return known == null ? Double.NaN : known;
  }

  void wrote(double perSecond) {
    if (!Double.isNaN(perSecond)) {
      tokensPerSecond.accumulateAndGet(perSecond, TargetStatistics::average);
    }
  }

  void begun() {
    busy.incrementAndGet();
  }

  void firstTokenAfter(Duration time) {
    double seconds = time.toNanos() / 1e9;
    firstTokenSeconds.accumulateAndGet(seconds, TargetStatistics::average);
  }

  private static @Nullable Double average(@Nullable Double old, @Nullable Double now) {
    return old == null ? now : now == null ? old : Double.valueOf(old + NEWEST * (now - old));
  }

  void ended() {
    busy.decrementAndGet();
  }
}
