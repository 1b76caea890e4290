package dev.jarvis.budget;

import dev.jarvis.storage.RedisScript;
import io.lettuce.core.ScriptOutputType;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Collectors;

/**
 * The calls of all replicas and what they reserve, in Redis. Each operation is one script, so it is
 * atomic. Thread-safe.
 */
final class RedisReservations {
  /** By then every replica has read a budget that was made. */
  private static final Duration KNOWN_EVERYWHERE = Duration.ofMinutes(1);

  private static final String FOREVER = Long.toString(1L << 53);

  private final RedisKeys keys;
  private final String replica;
  private final Zone zone;
  private final String grace;
  private final RedisScript<List<Long>> reserve =
      RedisKeys.script("reserve", ScriptOutputType.MULTI);
  private final RedisScript<Long> settle = RedisKeys.script("settle", ScriptOutputType.INTEGER);
  private final RedisScript<List<String>> confirm =
      RedisKeys.script("confirm", ScriptOutputType.MULTI);
  private final RedisScript<Long> release = RedisKeys.script("release", ScriptOutputType.INTEGER);
  private final RedisScript<Long> checkpoint =
      RedisKeys.script("checkpoint", ScriptOutputType.INTEGER);

  /** What the script answers, in its order. */
  enum Status {
    REFUSED,
    GRANTED,
    /** Redis was emptied, or began anew: announce first. */
    EPOCH,
    /** Not all replicas have announced their calls yet. */
    GRACE,
    /** The day of the demand is over. */
    DAY,
    /** A budget's use is unknown. */
    NO_BASE
  }

  /**
   * What became of a demand.
   *
   * @param nowMillis by the clock of Redis
   * @param place of the budget that refuses or whose base is missing, from 0; otherwise -1
   * @param used of each budget before, in billionths of a dollar; empty unless granted or refused
   */
  record Reply(Status status, long nowMillis, int place, List<Long> used) {}

  /**
   * @param grace how long after the beginning of an epoch hard limits cannot be checked
   */
  RedisReservations(RedisKeys keys, String replica, Zone zone, Duration grace) {
    this.keys = keys;
    this.replica = replica;
    this.zone = zone;
    this.grace = Long.toString(grace.toMillis());
  }

  /**
   * Registers a call and reserves in all its budgets, or does nothing; for a call that has
   * reserved, the amount is the new one.
   *
   * @param anew whether the call has not reserved yet, so that its day must be today
   * @param unchecked budgets whose limit is not enforced, even if their use is unknown
   */
  CompletableFuture<Reply> reserve(Demand demand, boolean anew, long epoch, Set<UUID> unchecked) {
    List<String> values = new ArrayList<>();
    values.add(Long.toString(epoch));
    values.add(anew ? Long.toString(zone.begin(demand.day())) : "0");
    values.add(anew ? Long.toString(zone.begin(demand.day().plusDays(1))) : FOREVER);
    values.add(grace);
    values.add(replica);
    values.add(demand.call().toString());
    values.add(demand.intent());
    values.add(Long.toString(demand.nanos()));
    for (Budget budget : demand.budgets()) {
      boolean checked = !unchecked.contains(budget.id());
      CounterName counter = CounterName.of(budget, demand.day(), zone);
      values.add(counter.toString());
      values.add(budget.hard() && checked ? Long.toString(budget.limitNanos()) : "");
      values.add(emptyFrom(budget, counter));
      values.add(checked ? "1" : "0");
    }
    return keys.run(reserve, values).thenApply(RedisReservations::reply);
  }

  /** A period that began after both the budget and the epoch did has no use but what is counted. */
  private String emptyFrom(Budget budget, CounterName counter) {
    if (counter.first() == null) {
      return "";
    }
    Instant begin = Instant.ofEpochMilli(zone.begin(counter.first()));
    return budget.createdAt().plus(KNOWN_EVERYWHERE).isBefore(begin)
        ? Long.toString(begin.toEpochMilli())
        : "";
  }

  private static Reply reply(List<Long> answer) {
    Status status = Status.values()[answer.getFirst().intValue()];
    return new Reply(
        status,
        answer.get(1),
        answer.size() > 2 ? answer.get(2).intValue() - 1 : -1,
        answer.size() > 3 ? List.copyOf(answer.subList(3, answer.size())) : List.of());
  }

  /** Sets what a call has cost; may be repeated. Returns whether the call is registered. */
  CompletableFuture<Boolean> settle(UUID call, long nanos) {
    return keys.runInOrder(settle, List.of(call.toString(), Long.toString(nanos)))
        .thenApply(it -> it == 1);
  }

  /** Forgets calls that are in the ledger; returns the counters of those that were registered. */
  CompletableFuture<Set<CounterName>> confirm(List<UUID> calls) {
    return keys.poll(confirm, calls.stream().map(UUID::toString).toList())
        .thenApply(
            all ->
                all.stream()
                    .flatMap(it -> CounterName.all(it).stream())
                    .collect(Collectors.toSet()));
  }

  /** Takes back what calls have reserved. */
  CompletableFuture<Long> release(List<UUID> calls) {
    return keys.poll(release, calls.stream().map(UUID::toString).toList());
  }

  CompletableFuture<Long> checkpoint(UUID call, String checkpoint) {
    return keys.poll(this.checkpoint, List.of(call.toString(), checkpoint));
  }
}
