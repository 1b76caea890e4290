package dev.jarvis.routing;

import java.time.Duration;
import java.util.OptionalInt;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/** What this replica has recently observed of one target. Thread-safe. */
final class TargetStatistics {
  /** Weight of the newest value in the moving averages. */
  private static final double NEWEST = 0.2;

  private static final Duration RECENT = Duration.ofMinutes(5);

  private final CircuitBreaker breaker = new CircuitBreaker(System::nanoTime);
  private volatile @Nullable Long answeredAt;
  private final AtomicInteger busy = new AtomicInteger();
  private final AtomicReference<@Nullable Double> firstTokenSeconds = new AtomicReference<>();
  private final AtomicReference<@Nullable Double> tokensPerSecond = new AtomicReference<>();
  private final AtomicReference<@Nullable Lengths> lengths = new AtomicReference<>();

  /** Moving averages of the lengths of answers, and of how far each was from that. */
  private record Lengths(double mean, double deviation) {}

  CircuitBreaker breaker() {
    return breaker;
  }

  void attemptBegan() {
    busy.incrementAndGet();
  }

  void attemptEnded() {
    busy.decrementAndGet();
  }

  /** The number of attempts in progress. */
  int busy() {
    return busy.get();
  }

  void recordTimeToFirstToken(Duration time) {
    double seconds = time.toNanos() / 1e9;
    firstTokenSeconds.accumulateAndGet(seconds, TargetStatistics::average);
  }

  /** Moving average of the time to the first token; null before the first answer. */
  @Nullable Duration timeToFirstToken() {
    Double seconds = firstTokenSeconds.get();
    return seconds == null ? null : Duration.ofNanos((long) (seconds * 1e9));
  }

  /** Records the end of a whole answer. */
  void recordAnswer() {
    answeredAt = System.nanoTime();
  }

  /** Whether the target has answered in the last five minutes. */
  boolean answeredRecently() {
    Long at = answeredAt;
    return at != null && System.nanoTime() - at < RECENT.toNanos();
  }

  /** Records the output speed of an answer; ignores NaN. */
  void recordTokensPerSecond(double perSecond) {
    if (!Double.isNaN(perSecond)) {
      tokensPerSecond.accumulateAndGet(perSecond, TargetStatistics::average);
    }
  }

  /** Moving average of the output speed; NaN before the first answer. */
  double tokensPerSecond() {
    Double known = tokensPerSecond.get();
    return known == null ? Double.NaN : known;
  }

  /** Records the number of output tokens of a whole answer. */
  void recordOutput(int tokens) {
    lengths.updateAndGet(
        it ->
            it == null
                ? new Lengths(tokens, tokens / 2.0)
                : new Lengths(
                    it.mean() + NEWEST * (tokens - it.mean()),
                    it.deviation() + NEWEST * (Math.abs(tokens - it.mean()) - it.deviation())));
  }

  /** What an answer hardly exceeds: the mean and twice the deviation; empty before the first. */
  OptionalInt expectedOutput() {
    Lengths known = lengths.get();
    return known == null
        ? OptionalInt.empty()
        : OptionalInt.of((int) Math.ceil(known.mean() + 2 * known.deviation()));
  }

  private static @Nullable Double average(@Nullable Double old, @Nullable Double now) {
    return old == null ? now : now == null ? old : Double.valueOf(old + NEWEST * (now - old));
  }
}
