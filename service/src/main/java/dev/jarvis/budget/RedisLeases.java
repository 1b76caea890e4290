package dev.jarvis.budget;

import dev.jarvis.storage.RedisScript;
import io.lettuce.core.KeyValue;
import io.lettuce.core.ScanArgs;
import io.lettuce.core.ScanCursor;
import io.lettuce.core.ScriptOutputType;
import io.lettuce.core.ValueScanCursor;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Collectors;

/** The replicas in Redis: their leases, and whose calls are whose. Thread-safe. */
final class RedisLeases {
  private static final String COUNTERS_AT_ONCE = "100";
  private static final int SCANNED_AT_ONCE = 1_000;

  private final RedisKeys keys;
  private final String replica;
  private final String leaseMillis;
  private final RedisScript<List<Long>> renew = RedisKeys.script("renew", ScriptOutputType.MULTI);
  private final RedisScript<Long> announce = RedisKeys.script("announce", ScriptOutputType.INTEGER);
  private final RedisScript<List<String>> read = RedisKeys.script("read", ScriptOutputType.MULTI);
  private final RedisScript<List<String>> claim = RedisKeys.script("claim", ScriptOutputType.MULTI);

  /**
   * What a renewal found.
   *
   * @param epoch since when the state in Redis exists; 0 if it is gone
   * @param lapsed whether there was no lease, so that another replica may have claimed calls
   */
  record Renewed(long epoch, long nowMillis, boolean lapsed) {}

  /**
   * A call of this replica.
   *
   * @param registered whether it is to be registered; otherwise only its amount counts
   */
  record Announced(
      UUID call, boolean registered, String intent, long nanos, List<CounterName> counters) {}

  /**
   * A call of a replica that is gone.
   *
   * @param checkpoint empty if there is none
   */
  record Claimed(UUID call, String intent, String checkpoint, List<CounterName> counters) {}

  RedisLeases(RedisKeys keys, String replica, Duration lease) {
    this.keys = keys;
    this.replica = replica;
    this.leaseMillis = Long.toString(lease.toMillis());
  }

  /** Extends the lease of this replica. Fails if Redis cannot write. */
  CompletableFuture<Renewed> renew() {
    return keys.poll(renew, List.of(leaseMillis, replica, COUNTERS_AT_ONCE))
        .thenApply(it -> new Renewed(it.get(0), it.get(1), it.get(2) == 1));
  }

  /** Makes calls known again. Returns the epoch, which begins now if there was none. */
  CompletableFuture<Long> announce(List<Announced> calls) {
    List<String> values = new ArrayList<>(List.of(leaseMillis, replica));
    for (Announced call : calls) {
      values.add(call.call().toString());
      values.add(call.registered() ? "1" : "0");
      values.add(call.intent());
      values.add(Long.toString(call.nanos()));
      values.add(String.join(" ", call.counters().stream().map(CounterName::toString).toList()));
    }
    return keys.poll(announce, values);
  }

  /** What is registered of some of this replica's calls. */
  CompletableFuture<List<Claimed>> read(List<UUID> calls) {
    return keys.poll(read, calls.stream().map(UUID::toString).toList())
        .thenApply(RedisLeases::claimed);
  }

  /** Makes calls of replicas that are gone this replica's. */
  CompletableFuture<List<Claimed>> claim(int limit) {
    return keys.poll(claim, List.of(leaseMillis, replica, Integer.toString(limit)))
        .thenApply(RedisLeases::claimed);
  }

  private static List<Claimed> claimed(List<String> answer) {
    List<Claimed> calls = new ArrayList<>();
    for (int i = 0; i < answer.size(); i += 4) {
      calls.add(
          new Claimed(
              UUID.fromString(answer.get(i)),
              answer.get(i + 1),
              answer.get(i + 2),
              CounterName.all(answer.get(i + 3))));
    }
    return calls;
  }

  /** Which of this replica's calls were claimed. */
  CompletableFuture<Set<UUID>> claimed(Collection<UUID> calls) {
    String[] ids = calls.stream().map(UUID::toString).toArray(String[]::new);
    return keys.redis()
        .send(it -> it.hmget(RedisKeys.PREFIX + "claimed", ids))
        .thenApply(
            found ->
                found.stream()
                    .filter(KeyValue::hasValue)
                    .map(it -> UUID.fromString(it.getKey()))
                    .collect(Collectors.toSet()))
        .toCompletableFuture();
  }

  /** Reads a part of the calls that are registered as this replica's. */
  CompletableFuture<ValueScanCursor<String>> own(ScanCursor from) {
    return keys.redis()
        .send(
            it ->
                it.sscan(
                    RedisKeys.PREFIX + "owned:" + replica,
                    from,
                    ScanArgs.Builder.limit(SCANNED_AT_ONCE)))
        .toCompletableFuture();
  }

  /** The replicas that hold a lease. */
  CompletableFuture<List<String>> alive() {
    return keys.redis()
        .send(it -> it.zrange(RedisKeys.PREFIX + "leases", 0, -1))
        .toCompletableFuture();
  }
}
