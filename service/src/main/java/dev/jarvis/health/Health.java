package dev.jarvis.health;

import dev.jarvis.error.OutOfMemory;
import io.helidon.health.HealthCheck;
import io.helidon.health.HealthCheckResponse;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;

/**
 * Probes every dependency in the background, side by side, and remembers what they said: so no
 * answer ever waits for a dependency. A probe that takes longer than its limit counts as failed,
 * and is not started again before it has ended.
 */
public final class Health implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Health.class);

  /** What a dependency last said. */
  public enum State {
    OK,
    ERROR
  }

  private final List<HealthCheck> checks;
  private final Duration limit;
  private final Map<String, State> states = new ConcurrentHashMap<>();
  private final ScheduledExecutorService clock;

  private Health(List<HealthCheck> checks, Duration limit, ScheduledExecutorService clock) {
    this.checks = List.copyOf(checks);
    this.limit = limit;
    this.clock = clock;
  }

  /**
   * Probes once, waiting for the limit at most, and goes on every period.
   *
   * @param checks one a dependency, in the order that they are shown in
   */
  public static Health start(List<HealthCheck> checks, Duration period, Duration limit)
      throws InterruptedException {
    return start(
        checks,
        period,
        limit,
        Executors.newScheduledThreadPool(
            1, Thread.ofPlatform().daemon().name("health-clock").factory()));
  }

  /**
   * @param clock calls when a probe has reached its limit; shut down with the returned object
   */
  static Health start(
      List<HealthCheck> checks, Duration period, Duration limit, ScheduledExecutorService clock)
      throws InterruptedException {
    Health health = new Health(checks, limit, clock);
    CountDownLatch first = new CountDownLatch(checks.size());
    checks.forEach(it -> Thread.ofVirtual().start(() -> health.loop(it, period, first)));
    boolean all = first.await(limit.toMillis(), TimeUnit.MILLISECONDS);
    if (!all) {
      LOG.info("a health check has not answered yet");
    }
    return health;
  }

  /** The state of each dependency by its name, in their order. */
  public Map<String, State> states() {
    Map<String, State> all = new LinkedHashMap<>();
    checks.forEach(it -> all.put(it.name(), states.getOrDefault(it.name(), State.ERROR)));
    return all;
  }

  /** 1 for each dependency that answers, 0 for one that does not, by its name. */
  public Map<String, Long> up() {
    Map<String, Long> all = new LinkedHashMap<>();
    states().forEach((name, state) -> all.put(name, state == State.OK ? 1L : 0L));
    return all;
  }

  private void loop(HealthCheck check, Duration period, CountDownLatch first) {
    while (!clock.isShutdown()) {
      State state;
      try {
        state = probe(check);
      } catch (RejectedExecutionException e) {
        return; // closed
      }
      if (clock.isShutdown()) {
        return; // what a probe says while everything is closed tells nothing
      }
      set(check, state);
      first.countDown();
      try {
        Thread.sleep(period);
      } catch (InterruptedException e) {
        return;
      }
    }
  }

  private State probe(HealthCheck check) {
    AtomicBoolean ended = new AtomicBoolean();
    var limitReached =
        clock.schedule(() -> giveUp(check, ended), limit.toMillis(), TimeUnit.MILLISECONDS);
    boolean up;
    try {
      up = check.call().status() == HealthCheckResponse.Status.UP;
    } catch (RuntimeException | Error e) { // an Error would end the probing, at the last state
      OutOfMemory.endProcessIf(e);
      up = false;
    }
    limitReached.cancel(false);
    boolean inTime = ended.compareAndSet(false, true);
    return up && inTime ? State.OK : State.ERROR;
  }

  private void giveUp(HealthCheck check, AtomicBoolean ended) {
    if (ended.compareAndSet(false, true)) {
      set(check, State.ERROR);
    }
  }

  private void set(HealthCheck check, State state) {
    State before = states.put(check.name(), state);
    if (before != state && (before != null || state == State.ERROR)) {
      LOG.atLevel(state == State.OK ? Level.INFO : Level.WARN)
          .addKeyValue("dependency", check.name())
          .log(state == State.OK ? "dependency answers again" : "dependency does not answer");
    }
  }

  @Override
  public void close() {
    clock.shutdownNow();
  }
}
