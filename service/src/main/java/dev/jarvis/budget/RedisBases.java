package dev.jarvis.budget;

import dev.jarvis.storage.RedisScript;
import io.lettuce.core.ScriptOutputType;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/** The bases of the counters in Redis: what is used by the ledger. Thread-safe. */
final class RedisBases {
  /** Of a busy counter; the next refresh goes on. */
  private static final int MAX_CALLS = 20_000;

  private final RedisKeys keys;
  private final RedisScript<Long> begin = RedisKeys.script("begin", ScriptOutputType.INTEGER);
  private final RedisScript<Long> remove = RedisKeys.script("remove", ScriptOutputType.INTEGER);
  private final RedisScript<List<Long>> base = RedisKeys.script("base", ScriptOutputType.MULTI);

  /**
   * What became of a base.
   *
   * @param set whether no newer refresh has begun meanwhile
   * @param used base and calls together
   * @param drift by how much the ledger differs from what was counted
   */
  record Refreshed(boolean set, long used, long drift) {}

  RedisBases(RedisKeys keys) {
    this.keys = keys;
  }

  /**
   * Begins a refresh.
   *
   * @return its generation; 0 if one has begun within the given time
   */
  CompletableFuture<Long> begin(CounterName counter, Duration since) {
    return keys.poll(begin, List.of(counter.toString(), Long.toString(since.toMillis())));
  }

  /** The calls whose amounts are counted beside the base; of very many, some. */
  CompletableFuture<List<UUID>> calls(CounterName counter) {
    CompletionStage<List<String>> calls =
        keys.redis().send(it -> it.hrandfield(RedisKeys.PREFIX + "fields:" + counter, MAX_CALLS));
    return calls.thenApply(it -> it.stream().map(UUID::fromString).toList()).toCompletableFuture();
  }

  /**
   * Ends a refresh.
   *
   * @param nanos used by the ledger
   * @param contained the calls that are in it
   */
  CompletableFuture<Refreshed> set(
      CounterName counter, long generation, long nanos, List<UUID> contained) {
    List<String> values = new ArrayList<>(contained.size() + 3);
    values.add(counter.toString());
    values.add(Long.toString(generation));
    values.add(Long.toString(nanos));
    contained.forEach(it -> values.add(it.toString()));
    return keys.poll(base, values)
        .thenApply(it -> new Refreshed(it.get(0) == 1, it.get(1), it.get(2)));
  }

  /** Removes the counter of a budget that was deleted. */
  CompletableFuture<Long> remove(CounterName counter) {
    return keys.poll(remove, List.of(counter.toString()));
  }
}
