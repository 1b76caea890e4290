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
 * Runs the checks of all dependencies in the background, in parallel, and stores their results, so
 * that no response waits for a dependency. A check that exceeds its time limit counts as failed,
 * and is not started again before it has ended. The checks are listed in {@code Jarvis}.
 */
public final class Health implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Health.class);

  /** The result of a dependency's last check. */
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
   * Starts the checks, and waits for their first results for at most the limit.
   *
   * @param checks one for each dependency, in the order of {@link #states}
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
   * @param clock runs tasks when the limit of a check is reached; shut down by {@link #close}
   */
  static Health start(
      List<HealthCheck> checks, Duration period, Duration limit, ScheduledExecutorService clock)
      throws InterruptedException {
    Health health = new Health(checks, limit, clock);
    CountDownLatch first = new CountDownLatch(checks.size());
    checks.forEach(it -> Thread.ofVirtual().start(() -> health.loop(it, period, first)));
    boolean all = first.await(limit.toMillis(), TimeUnit.MILLISECONDS);
    if (!all) {
      LOG.info("a health check has not ended yet");
    }
    return health;
  }

  /** Returns the state of each dependency by its name, in the order of the checks. */
  public Map<String, State> states() {
    Map<String, State> all = new LinkedHashMap<>();
    checks.forEach(it -> all.put(it.name(), states.getOrDefault(it.name(), State.ERROR)));
    return all;
  }

  /** Returns 1 for each dependency that answers and 0 for the others, by name. */
  public Map<String, Long> up() {
    Map<String, Long> all = new LinkedHashMap<>();
    states().forEach((name, state) -> all.put(name, state == State.OK ? 1L : 0L));
    return all;
  }

  private void loop(HealthCheck check, Duration period, CountDownLatch first) {
    while (!clock.isShutdown()) {
      State state;
      try {
        state = run(check);
      } catch (RejectedExecutionException e) {
        return; // closed
      }
      if (clock.isShutdown()) {
        return; // the dependencies may be closed already
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

  private State run(HealthCheck check) {
    AtomicBoolean ended = new AtomicBoolean();
    var limitReached =
        clock.schedule(() -> timeOut(check, ended), limit.toMillis(), TimeUnit.MILLISECONDS);
    boolean up;
    try {
      up = check.call().status() == HealthCheckResponse.Status.UP;
    } catch (RuntimeException | Error e) { // an Error must not end the loop
      OutOfMemory.endProcessIf(e);
      up = false;
    }
    limitReached.cancel(false);
    boolean inTime = ended.compareAndSet(false, true);
    return up && inTime ? State.OK : State.ERROR;
  }

  private void timeOut(HealthCheck check, AtomicBoolean ended) {
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
