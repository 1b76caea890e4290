package dev.jarvis.limit;

import dev.failsafe.CircuitBreaker;
import dev.jarvis.limit.Counter.Kind;
import dev.jarvis.storage.Redis;
import dev.jarvis.telemetry.Instruments;
import dev.jarvis.telemetry.Metric;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Counts over all replicas while Redis is well, and otherwise in this replica's memory, which then
 * allows its share of the limits. The memory also counts the replica's calls while Redis is well,
 * so that its share is not free when Redis goes away. Thread-safe.
 */
public final class Counters implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Counters.class);

  /** How long a call waits for Redis. */
  private static final Duration LIMIT = Duration.ofMillis(250);

  private static final int FAILURES = 3;
  private static final Duration OPEN_TIME = Duration.ofSeconds(2);
  private static final Duration LEASE = Duration.ofSeconds(30);
  private static final Duration RENEWAL_PERIOD = LEASE.dividedBy(3);
  private static final int RENEWED_AT_ONCE = 1_000;

  /** In memory a slot needs no lease: every call is settled before its process ends. */
  private static final Duration FOREVER = Duration.ofDays(365);

  private final RedisCounters shared;
  private final LocalCounters local = new LocalCounters(FOREVER);
  private final int maxReplicas;
  private final LongSupplier clock;
  private final AutoCloseable gauge;
  private final CountDownLatch closed = new CountDownLatch(1);
  private final Thread renewal;
  private final CircuitBreaker<Object> breaker =
      CircuitBreaker.builder()
          .withFailureThreshold(FAILURES)
          .withDelay(OPEN_TIME)
          .onOpen(it -> LOG.warn("limits are counted locally: redis is unavailable"))
          .onClose(it -> LOG.info("limits are counted in redis again"))
          .build();

  /**
   * The slots of calls in progress. Its lock also keeps renewals and settlements in the order in
   * which they are sent, or a renewal could add the slot of a call that has ended.
   */
  private final Map<String, List<RedisCounters.Slot>> open = new LinkedHashMap<>();

  /**
   * What a call was granted or refused.
   *
   * @param demands as they were checked
   * @param shared whether Redis counted it
   * @param localSecond when the memory counted it
   */
  record Result(Verdict verdict, List<Demand> demands, boolean shared, long localSecond) {}

  public Counters(Redis redis, int maxReplicas, Instruments instruments) {
    this(
        new RedisCounters(redis, LEASE),
        maxReplicas,
        instruments,
        () -> TimeUnit.NANOSECONDS.toMillis(System.nanoTime()));
  }

  /**
   * @param clock milliseconds of any epoch, for the memory
   */
  Counters(RedisCounters shared, int maxReplicas, Instruments instruments, LongSupplier clock) {
    this.shared = shared;
    this.maxReplicas = maxReplicas;
    this.clock = clock;
    this.gauge = instruments.gauge(Metric.LIMITS_LOCAL, () -> breaker.isClosed() ? 0 : 1);
    for (String command : RedisScript.COMMANDS) {
      instruments.add(Metric.DB_CLIENT_OPERATION_ERRORS, 0, "redis", command);
    }
    this.renewal = Thread.ofVirtual().name("limit-leases").start(this::renewUntilClosed);
  }

  /** Takes what a call needs from all counters, or from none; waits for Redis up to 250 ms. */
  Result take(String call, List<Demand> demands) {
    Verdict verdict = takeShared(call, demands);
    if (verdict == null) {
      List<Demand> shares = demands.stream().map(it -> it.share(maxReplicas)).toList();
      Verdict own = local.take(clock.getAsLong(), call, shares);
      return opened(call, new Result(own, shares, false, own.second()));
    }
    long second = verdict.granted() ? local.add(clock.getAsLong(), call, demands) : 0;
    return opened(call, new Result(verdict, demands, true, second));
  }

  private Result opened(String call, Result result) {
    List<RedisCounters.Slot> slots =
        result.demands().stream()
            .map(Demand::counter)
            .filter(it -> it.kind() == Kind.PARALLEL)
            .map(it -> new RedisCounters.Slot(call, it))
            .toList();
    if (result.verdict().granted() && !slots.isEmpty()) {
      synchronized (open) {
        open.put(call, slots);
      }
    }
    return result;
  }

  /** Null if Redis is away. */
  private @Nullable Verdict takeShared(String call, List<Demand> demands) {
    if (!breaker.tryAcquirePermit()) {
      return null;
    }
    CompletableFuture<Verdict> answer = shared.take(call, demands).toCompletableFuture();
    try {
      Verdict verdict = answer.get(LIMIT.toMillis(), TimeUnit.MILLISECONDS);
      breaker.recordSuccess();
      return verdict;
    } catch (ExecutionException | TimeoutException e) {
      LOG.atDebug().setCause(e).log("redis did not count a call");
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    breaker.recordFailure();
    var _ = answer.thenAccept(late -> giveBack(call, demands, late));
    return null;
  }

  /** Undoes what Redis granted after its time was over; the memory has decided meanwhile. */
  private void giveBack(String call, List<Demand> demands, Verdict late) {
    synchronized (open) {
      boolean goesOn = open.containsKey(call); // then its slots are in use
      List<Change> changes =
          demands.stream()
              .filter(it -> it.counter().kind() != Kind.PARALLEL || !goesOn)
              .map(it -> new Change(it.counter(), -it.amount()))
              .toList();
      if (late.granted()) {
        var _ = shared.settle(call, late.second(), changes);
      }
    }
  }

  /** Books what a granted call used; never waits. */
  void settle(String call, Result result, List<Change> changes) {
    List<Change> all = changes.stream().filter(it -> !it.isNothing()).toList();
    local.settle(clock.getAsLong(), call, result.localSecond(), all);
    // while Redis was away it may have got a call's slot by a renewal, but nothing else
    List<Change> known =
        result.shared()
            ? all
            : all.stream().filter(it -> it.counter().kind() == Kind.PARALLEL).toList();
    synchronized (open) {
      open.remove(call);
      if (!known.isEmpty()) {
        var _ = shared.settle(call, result.verdict().second(), known);
      }
    }
  }

  private void renewUntilClosed() {
    try {
      while (!closed.await(RENEWAL_PERIOD.toMillis(), TimeUnit.MILLISECONDS)) {
        renew();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Renews the leases of all calls in progress; also finds out whether Redis is back. */
  void renew() throws InterruptedException {
    CompletableFuture<?> renewed;
    synchronized (open) {
      if ((open.isEmpty() && breaker.isClosed()) || !breaker.tryAcquirePermit()) {
        return;
      }
      renewed = sendRenewal();
    }
    try {
      renewed.get(LIMIT.toMillis(), TimeUnit.MILLISECONDS);
      breaker.recordSuccess();
    } catch (ExecutionException | TimeoutException e) {
      LOG.atDebug().setCause(e).log("redis did not renew the leases of calls");
      breaker.recordFailure();
    }
  }

  private CompletableFuture<?> sendRenewal() {
    List<RedisCounters.Slot> slots = open.values().stream().flatMap(List::stream).toList();
    List<CompletableFuture<Long>> parts = new ArrayList<>();
    int from = 0;
    do {
      int to = Math.min(slots.size(), from + RENEWED_AT_ONCE);
      parts.add(shared.renew(slots.subList(from, to)).toCompletableFuture());
      from = to;
    } while (from < slots.size());
    return CompletableFuture.allOf(parts.toArray(CompletableFuture<?>[]::new));
  }

  @Override
  public void close() throws Exception {
    closed.countDown();
    renewal.join(LIMIT.multipliedBy(4));
    gauge.close();
  }
}
