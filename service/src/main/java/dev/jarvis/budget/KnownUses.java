package dev.jarvis.budget;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import java.util.List;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * What this replica last knew of the use of each budget, and what it has allowed since without
 * knowing. Bounded. Thread-safe.
 */
final class KnownUses {
  private static final int MAX = 200_000;

  private final LongSupplier clock;
  private final Cache<CounterName, Use> uses =
      Caffeine.newBuilder().maximumSize(MAX).executor(Runnable::run).build();

  /**
   * The use of one budget.
   *
   * @param nanos as it was last known
   * @param blind allowed since then
   */
  record Use(long nanos, long atMillis, long blind) {}

  /**
   * @param clock milliseconds of any epoch
   */
  KnownUses(LongSupplier clock) {
    this.clock = clock;
  }

  @Nullable Use get(CounterName counter) {
    return uses.getIfPresent(counter);
  }

  /** Notes what the counter of all replicas says. */
  void known(CounterName counter, long nanos) {
    uses.put(counter, new Use(nanos, clock.getAsLong(), 0));
  }

  /** Notes what is used, perhaps without the calls of other replicas. */
  void atLeast(CounterName counter, long nanos) {
    uses.asMap()
        .merge(
            counter,
            new Use(nanos, clock.getAsLong(), 0),
            (known, _) -> new Use(Math.max(known.nanos(), nanos), known.atMillis(), known.blind()));
  }

  /** Notes what was allowed blindly, or that less of it was used. */
  void blind(List<CounterName> counters, long change) {
    counters.forEach(
        counter ->
            uses.asMap()
                .computeIfPresent(
                    counter,
                    (_, it) ->
                        new Use(it.nanos(), it.atMillis(), Math.max(0, it.blind() + change))));
  }

  /** Notes that a call of this replica has cost more or less than it had reserved. */
  void settled(List<CounterName> counters, long change) {
    counters.forEach(
        counter ->
            uses.asMap()
                .computeIfPresent(
                    counter,
                    (_, it) ->
                        new Use(Math.max(0, it.nanos() + change), it.atMillis(), it.blind())));
  }

  /** How long ago the use was known. */
  long age(Use use) {
    return clock.getAsLong() - use.atMillis();
  }
}
