package dev.jarvis.budget;

import dev.jarvis.storage.RedisGuard;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Whether Redis knows what this replica's calls reserve. It does not after it was emptied, nor
 * after this replica has reserved elsewhere: then the replica announces its calls, and the bases of
 * the counters that it uses are refreshed before they are trusted. Thread-safe.
 */
final class SharedState {
  private static final Logger LOG = LoggerFactory.getLogger(SharedState.class);
  private static final int ANNOUNCED_AT_ONCE = 200;
  private static final int MAX_TRUSTED = 200_000;

  private final RedisLeases leases;
  private final RedisGuard guard;
  private final OpenCalls calls;
  private final BaseRefresh bases;
  private final Clock clock;
  private final Duration grace;
  private final ReentrantLock announcing = new ReentrantLock();
  private final Set<CounterName> trusted = ConcurrentHashMap.newKeySet();
  private volatile long epoch;
  private volatile long lastEpoch;
  private volatile long returnedAt;
  private final AtomicLong version = new AtomicLong();

  /** While calls are announced: those that were too late for the list. */
  private @Nullable List<OpenCall> late;

  /**
   * @param grace how long after the beginning of an epoch the calls of other replicas may be
   *     unknown
   */
  SharedState(
      RedisLeases leases,
      RedisGuard guard,
      OpenCalls calls,
      BaseRefresh bases,
      Clock clock,
      Duration grace) {
    this.leases = leases;
    this.guard = guard;
    this.calls = calls;
    this.bases = bases;
    this.clock = clock;
    this.grace = grace;
  }

  /** The epoch whose state knows this replica's calls; 0 if there is none. */
  long epoch() {
    return epoch;
  }

  /** Whether Redis knows the calls of all replicas. */
  boolean counts() {
    long began = epoch;
    return began != 0 && clock.millis() - began >= grace.toMillis();
  }

  /** Grows whenever Redis may have lost sight of a call. */
  long version() {
    return version.get();
  }

  /** Notes that calls have reserved elsewhere, or that Redis was emptied. */
  synchronized void lost() {
    if (epoch != 0) {
      version.incrementAndGet();
      epoch = 0;
    }
  }

  /**
   * Makes this replica's calls known to Redis.
   *
   * @return whether they are; false also while another thread does this
   */
  boolean announce() {
    if (!announcing.tryLock()) {
      return false;
    }
    try {
      long before = version.get();
      late(new ArrayList<>());
      List<RedisLeases.Announced> all = announced(calls.unconfirmed(), true);
      Long now = send(all);
      if (now != null && now != lastEpoch && lastEpoch != 0) {
        List<OpenCall> confirmed = calls.justConfirmed();
        now = send(announced(confirmed, false));
        confirmed.forEach(it -> bases.changed(it.counters())); // a base takes their amounts in
      }
      if (now == null || !known(now, before)) {
        return false;
      }
      LOG.atInfo()
          .addKeyValue("calls", all.size())
          .addKeyValue("epoch", now)
          .log("calls were announced to redis");
      return true;
    } finally {
      late(null);
      announcing.unlock();
    }
  }

  private synchronized void late(@Nullable List<OpenCall> calls) {
    late = calls;
  }

  /** Ends an announcement, unless calls were lost again meanwhile. */
  private synchronized boolean known(long now, long before) {
    if (before != version.get()) {
      return false;
    }
    trusted.clear();
    returnedAt = clock.millis();
    lastEpoch = now;
    epoch = now;
    if (late != null) {
      late.stream().filter(it -> calls.find(it.demand().call()) != null).forEach(this::announce);
    }
    return true;
  }

  /** Makes one call known that has reserved elsewhere, at once or with the next announcement. */
  synchronized void reservedElsewhere(OpenCall call) {
    if (epoch != 0) {
      announce(call);
    } else if (late != null) {
      late.add(call);
    }
  }

  /** Makes one call known that was granted while Redis lost its state. */
  void announce(OpenCall call) {
    var _ =
        leases
            .announce(announced(List.of(call), true))
            .exceptionally(
                _ -> {
                  lost();
                  return 0L;
                });
  }

  private @Nullable Long send(List<RedisLeases.Announced> all) {
    Long found = null;
    int from = 0;
    do {
      int to = Math.min(all.size(), from + ANNOUNCED_AT_ONCE);
      List<RedisLeases.Announced> part = all.subList(from, to);
      found = guard.ask(() -> leases.announce(part));
      if (found == null) {
        return null;
      }
      from = to;
    } while (from < all.size());
    return found;
  }

  private static List<RedisLeases.Announced> announced(List<OpenCall> calls, boolean register) {
    List<RedisLeases.Announced> all = new ArrayList<>();
    for (OpenCall call : calls) {
      Demand demand = call.demand();
      all.add(
          new RedisLeases.Announced(
              demand.call(), register, demand.intent(), call.nanos(), call.counters()));
    }
    return all;
  }

  /** Whether the base of a counter may be older than what has happened elsewhere. */
  boolean mustRefresh(CounterName counter, Zone zone) {
    boolean older = counter.first() == null || zone.begin(counter.first()) < returnedAt;
    return returnedAt > 0 && older && !trusted.contains(counter);
  }

  /** Notes that a base was refreshed since the announcement. */
  void trust(CounterName counter) {
    if (trusted.size() < MAX_TRUSTED) {
      trusted.add(counter);
    }
  }
}
