package dev.jarvis.limit;

import dev.jarvis.storage.Redis;
import dev.jarvis.storage.RedisScript;
import io.lettuce.core.ScriptOutputType;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;

/**
 * Counters that all replicas share, in Redis: a hash of buckets for each window, a sorted set of
 * leases for each number of parallel calls, and a sorted set of the counters' last uses, by which
 * they are removed. None has a TTL, because a full Redis evicts what has one. Each operation is one
 * script, so it is atomic. Thread-safe.
 */
final class RedisCounters {
  /** The hash tag keeps all keys on one node of a cluster, as scripts require. */
  private static final String PREFIX = "jarvis:{limits}:";

  private static final String LAST_USES = PREFIX + "last_uses";

  /** Removed with each call, which is more than a call adds. */
  private static final String MAX_REMOVED = "20";

  /** Removed with each renewal, so that users who are gone leave nothing behind. */
  private static final String MAX_REMOVED_BY_RENEWAL = "1000";

  private final Redis redis;
  private final String leaseMillis;
  private final Supplier<String> now;
  private final RedisScript<List<Long>> take = script("take", ScriptOutputType.MULTI);
  private final RedisScript<Long> settle = script("settle", ScriptOutputType.INTEGER);
  private final RedisScript<Long> renew = script("renew", ScriptOutputType.INTEGER);

  /** A slot that a call holds. */
  record Slot(String call, Counter counter) {}

  /**
   * @param lease after which the slot of a call is free that was neither renewed nor settled
   */
  RedisCounters(Redis redis, Duration lease) {
    this(redis, lease, () -> "");
  }

  /**
   * @param now milliseconds since the epoch; empty for the time of Redis
   */
  RedisCounters(Redis redis, Duration lease, Supplier<String> now) {
    this.redis = redis;
    this.leaseMillis = Long.toString(lease.toMillis());
    this.now = now;
  }

  private static <T> RedisScript<T> script(String name, ScriptOutputType output) {
    return new RedisScript<>(RedisCounters.class, output, name);
  }

  /** Takes what a call needs from all counters, or from none. */
  CompletionStage<Verdict> take(String call, List<Demand> demands) {
    List<String> keys = keys(demands.stream().map(Demand::counter).toList());
    List<String> values = new ArrayList<>(List.of(now.get(), leaseMillis, MAX_REMOVED, call));
    for (Demand demand : demands) {
      values.add(demand.counter().kind().id());
      values.add(Long.toString(demand.amount()));
      values.add(Long.toString(demand.limit()));
    }
    return take.run(redis, keys, values).thenApply(RedisCounters::verdict);
  }

  private static Verdict verdict(List<Long> answer) {
    List<Verdict.State> states = new ArrayList<>();
    for (int i = 2; i < answer.size(); i += 3) {
      states.add(new Verdict.State(answer.get(i), answer.get(i + 1), answer.get(i + 2)));
    }
    return new Verdict(answer.get(0) == 1, answer.get(1), states);
  }

  /**
   * Books the difference between what a call took and what it used, and frees its slots.
   *
   * @param second of the verdict
   */
  CompletionStage<Long> settle(String call, long second, List<Change> changes) {
    List<String> keys = keys(changes.stream().map(Change::counter).toList());
    List<String> values = new ArrayList<>(List.of(now.get(), Long.toString(second), call));
    for (Change change : changes) {
      values.add(change.counter().kind().id());
      values.add(Long.toString(change.amount()));
    }
    return settle.runInOrder(redis, keys, values);
  }

  /**
   * Extends the leases of calls in progress; adds those that are missing. Fails if Redis cannot
   * write, even without slots.
   */
  CompletionStage<Long> renew(List<Slot> slots) {
    List<String> keys = keys(slots.stream().map(Slot::counter).toList());
    List<String> values = new ArrayList<>(List.of(now.get(), leaseMillis, MAX_REMOVED_BY_RENEWAL));
    slots.forEach(it -> values.add(it.call()));
    return renew.poll(redis, keys, values);
  }

  private static List<String> keys(List<Counter> counters) {
    List<String> keys = new ArrayList<>(List.of(LAST_USES));
    counters.forEach(it -> keys.add(key(it)));
    return keys;
  }

  private static String key(Counter counter) {
    return PREFIX + counter.kind().id() + ":" + counter.scope() + ":" + counter.id();
  }
}
