package dev.jarvis.limit;

import dev.jarvis.limit.Counter.Kind;
import dev.jarvis.storage.Redis;
import dev.jarvis.storage.RedisGuard;
import dev.jarvis.storage.RedisScript;
import dev.jarvis.telemetry.Instruments;
import dev.jarvis.telemetry.Metric;
import io.lettuce.core.RedisConnectionException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
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

  private static final Duration LEASE = Duration.ofSeconds(30);
  private static final Duration RENEWAL_PERIOD = LEASE.dividedBy(3);
  private static final int RENEWED_AT_ONCE = 1_000;

  private static final Duration CLOSE_LIMIT = Duration.ofSeconds(1);

  /** The answer of a Redis that is not asked. */
  private static final CompletableFuture<Verdict> AWAY =
      CompletableFuture.failedFuture(new RedisConnectionException("Redis is not asked"));

  /** Redis may be back by then, with the whole limit. */
  private static final long LONGEST_LOCAL_WAIT_MILLIS = RENEWAL_PERIOD.toMillis();

  /** In memory a slot needs no lease: every call is settled before its process ends. */
  private static final Duration FOREVER = Duration.ofDays(365);

  private final RedisCounters shared;
  private final LocalCounters local = new LocalCounters(FOREVER);
  private final LimitConfig config;
  private final LongSupplier clock;
  private final AutoCloseable gauge;
  private final CountDownLatch closed = new CountDownLatch(1);
  private final Thread renewal;
  private final RedisGuard guard;

  /**
   * The slots of calls in progress. Its lock also keeps renewals and settlements in the order in
   * which they are sent, or a renewal could add the slot of a call that has ended.
   */
  private final Map<String, List<RedisCounters.Slot>> open = new LinkedHashMap<>();

  /**
   * What a call was granted or refused.
   *
   * @param demands as they were checked
   * @param asked as Redis was asked
   * @param shared what Redis says, perhaps later than the call could wait; fails if it says nothing
   * @param localSecond when the memory counted it
   */
  record Result(
      Verdict verdict,
      List<Demand> demands,
      List<Demand> asked,
      CompletableFuture<Verdict> shared,
      long localSecond) {
    /** A change of what was checked as a change of what Redis took. */
    private Change ofAsked(Change change) {
      long difference = 0;
      for (int i = 0; i < demands.size(); i++) {
        if (demands.get(i).counter().equals(change.counter())) {
          difference = demands.get(i).amount() - asked.get(i).amount();
        }
      }
      return new Change(change.counter(), change.amount() + difference);
    }
  }

  public Counters(Redis redis, LimitConfig config, Instruments instruments) {
    this(
        new RedisCounters(redis, LEASE),
        config,
        instruments,
        () -> TimeUnit.NANOSECONDS.toMillis(System.nanoTime()));
  }

  /**
   * @param clock milliseconds of any epoch, for the memory
   */
  Counters(RedisCounters shared, LimitConfig config, Instruments instruments, LongSupplier clock) {
    this.shared = shared;
    this.config = config;
    this.guard =
        new RedisGuard(
            config.redisTimeout(),
            () -> LOG.warn("limits are counted locally: redis is unavailable"),
            () -> LOG.info("limits are counted in redis again"));
    this.clock = clock;
    this.gauge = instruments.gauge(Metric.LIMITS_LOCAL, () -> guard.closed() ? 0 : 1);
    for (String command : RedisScript.COMMANDS) {
      instruments.add(Metric.DB_CLIENT_OPERATION_ERRORS, 0, "redis", command);
    }
    this.renewal = Thread.ofVirtual().name("limit-leases").start(this::renewUntilClosed);
  }

  /** Takes what a call needs from all counters, or from none; waits for Redis only briefly. */
  Result take(String call, List<Demand> demands) {
    CompletableFuture<Verdict> answer = ask(call, demands);
    Verdict verdict = await(answer);
    if (verdict == null) {
      return takeLocally(call, demands, answer);
    }
    long second = verdict.granted() ? local.add(clock.getAsLong(), call, demands) : 0;
    return opened(call, new Result(verdict, demands, demands, answer, second));
  }

  private Result takeLocally(String call, List<Demand> demands, CompletableFuture<Verdict> answer) {
    // as long as Redis counts, one slow answer is no reason to allow this replica's share only
    List<Demand> enforced =
        guard.closed()
            ? demands
            : demands.stream().map(it -> it.share(config.maxReplicas())).toList();
    Verdict own =
        local.take(clock.getAsLong(), call, enforced).waitingAtMost(LONGEST_LOCAL_WAIT_MILLIS);
    if (!own.granted()) {
      List<Change> everything =
          demands.stream().map(it -> new Change(it.counter(), -it.amount())).toList();
      bookWhenCounted(call, answer, everything);
    }
    return opened(call, new Result(own, enforced, demands, answer, own.second()));
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

  private CompletableFuture<Verdict> ask(String call, List<Demand> demands) {
    return guard.tryAcquire() ? shared.take(call, demands).toCompletableFuture() : AWAY;
  }

  /** Null if Redis is away or slow. */
  private @Nullable Verdict await(CompletableFuture<Verdict> answer) {
    if (answer == AWAY) {
      return null;
    }
    return guard.await(answer);
  }

  /** Books what a granted call used; never waits. */
  void settle(String call, Result result, List<Change> changes) {
    List<Change> all = changes.stream().filter(it -> !it.isNothing()).toList();
    local.settle(clock.getAsLong(), call, result.localSecond(), all);
    List<Change> slots = all.stream().filter(it -> it.counter().kind() == Kind.PARALLEL).toList();
    synchronized (open) {
      open.remove(call);
      boolean counted =
          result.shared().state() == Future.State.SUCCESS && result.shared().join().granted();
      if (!counted && !slots.isEmpty()) {
        var _ = shared.settle(call, 0, slots); // a renewal may have added them
      }
      bookWhenCounted(call, result.shared(), changes.stream().map(result::ofAsked).toList());
    }
  }

  /**
   * Books changes of what Redis has taken for a call: at once, or when its late answer says that it
   * has. A Redis that was slow or frozen counts a call that the memory has decided meanwhile.
   */
  private void bookWhenCounted(
      String call, CompletableFuture<Verdict> answer, List<Change> changes) {
    List<Change> real = changes.stream().filter(it -> !it.isNothing()).toList();
    if (real.isEmpty()) {
      return;
    }
    var _ =
        answer.thenAccept(
            it -> {
              if (it.granted()) {
                var _ = shared.settle(call, it.second(), real);
              }
            });
  }

  private void renewUntilClosed() {
    try {
      while (!closed.await(RENEWAL_PERIOD.toMillis(), TimeUnit.MILLISECONDS)) {
        renewOnce();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void renewOnce() {
    try {
      renew();
    } catch (RuntimeException e) {
      LOG.atWarn().setCause(e).log("the leases of calls were not renewed");
    }
  }

  /**
   * Renews the leases of all calls in progress and removes stale counters; also finds out whether
   * Redis is back.
   */
  void renew() {
    if (!guard.tryAcquire()) {
      return;
    }
    CompletableFuture<?> answer;
    synchronized (open) {
      answer = sendRenewal();
    }
    guard.answered(answer);
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
    renewal.join(CLOSE_LIMIT);
    gauge.close();
  }
}
