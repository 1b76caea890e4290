package dev.jarvis.gateway;

import dev.jarvis.id.UuidV7;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What a call used whose replica did not live to settle it. */
public final class Estimates {
  private Estimates() {}

  /**
   * The entry of a call that was cut off. A pure function: whoever calculates it gets the same.
   *
   * @param last the last checkpoint; null for what the intent expected
   */
  public static LedgerEntry entry(
      Intent intent, @Nullable Checkpoint last, Rank rank, Settlement.Pricing pricing) {
    TargetName target = last == null ? intent.target() : last.target();
    Usage usage = (last == null ? intent.expected() : last.usage()).asEstimate();
    Duration duration = last == null ? intent.compute() : last.elapsed();
    Cost cost = pricing.cost(target, UuidV7.time(intent.callId()), usage, duration).orElse(null);
    AttemptEntry attempt =
        new AttemptEntry(
            last == null ? 1 : last.attempt(),
            target,
            Outcome.ERROR,
            true,
            null,
            usage,
            cost,
            duration,
            null);
    return new LedgerEntry(
        intent.callId(),
        rank,
        intent.day(),
        intent.origin(),
        intent.asked(),
        new LedgerEntry.Result(target, Outcome.ERROR, null),
        List.of(attempt));
  }
}
