package dev.jarvis.identity;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.jarvis.storage.Redis;
import dev.jarvis.telemetry.Instruments;
import dev.jarvis.telemetry.Metric;
import io.lettuce.core.Range;
import io.lettuce.core.Range.Boundary;
import java.time.Duration;
import java.time.InstantSource;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Counts the distinct users of the last five minutes over all replicas, in a sorted set in Redis
 * whose scores are the times of the users' last requests. The gauge {@code active_users} returns
 * the last count. If Redis is unavailable for five minutes, the gauge is absent instead of stale.
 */
public final class ActiveUsers implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(ActiveUsers.class);
  private static final String KEY = "jarvis:active_users";
  private static final Duration WINDOW = Duration.ofMinutes(5);
  private static final Duration PERIOD = Duration.ofSeconds(5);
  private static final Duration REFRESH_LIMIT = Duration.ofSeconds(2);

  private final Redis redis;
  private final Instruments instruments;
  private final Duration window;
  private final Duration period;
  private final InstantSource clock;
  private final LongSupplier nanoTime;
  private final CountDownLatch closed = new CountDownLatch(1);
  private final Thread refresher;
  private volatile long count;
  private long countedNanos;
  private @Nullable AutoCloseable gauge;

  public ActiveUsers(Redis redis, Instruments instruments) {
    this(redis, instruments, WINDOW, PERIOD, InstantSource.system(), System::nanoTime);
  }

  ActiveUsers(
      Redis redis,
      Instruments instruments,
      Duration window,
      Duration period,
      InstantSource clock,
      LongSupplier nanoTime) {
    this.redis = redis;
    this.instruments = instruments;
    this.window = window;
    this.period = period;
    this.clock = clock;
    this.nanoTime = nanoTime;
    this.countedNanos = nanoTime.getAsLong();
    this.gauge = instruments.gauge(Metric.ACTIVE_USERS, () -> count);
    instruments.add(Metric.DB_CLIENT_OPERATION_ERRORS, 0, "redis", "ZADD");
    this.refresher = Thread.ofVirtual().name("active-users").start(this::refreshUntilClosed);
  }

  /** Records that a user is active now. Never blocks and never throws; lost if Redis is down. */
  public void seen(String user) {
    // a hash, because names may be long and only their number matters
    String member = UUID.nameUUIDFromBytes(user.getBytes(UTF_8)).toString();
    var ignored = redis.sendTraced("ZADD", it -> it.zadd(KEY, (double) clock.millis(), member));
  }

  private void refreshUntilClosed() {
    try {
      do {
        refresh();
      } while (!closed.await(period.toMillis(), TimeUnit.MILLISECONDS));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Without spans, because each would be a separate trace. */
  private void refresh() throws InterruptedException {
    double now = clock.millis();
    Range<Double> inactive =
        Range.from(Boundary.unbounded(), Boundary.excluding(now - window.toMillis()));
    Range<Double> active =
        Range.from(Boundary.including(now - window.toMillis()), Boundary.unbounded());
    try {
      count =
          redis
              .send(it -> it.zremrangebyscore(KEY, inactive))
              .thenCompose(removed -> redis.send(it -> it.zcount(KEY, active)))
              .toCompletableFuture()
              .get(REFRESH_LIMIT.toMillis(), TimeUnit.MILLISECONDS);
      countedNanos = nanoTime.getAsLong();
      if (gauge == null) {
        gauge = instruments.gauge(Metric.ACTIVE_USERS, () -> count);
      }
    } catch (ExecutionException | TimeoutException e) { // /health reports it
      if (nanoTime.getAsLong() - countedNanos > window.toNanos()) {
        stopReporting();
      }
    }
  }

  private void stopReporting() {
    try {
      if (gauge != null) {
        gauge.close();
        gauge = null;
      }
    } catch (Exception e) {
      LOG.atWarn().setCause(e).log("a gauge was not closed");
    }
  }

  @Override
  public void close() throws InterruptedException {
    closed.countDown();
    refresher.join(REFRESH_LIMIT.plusSeconds(1));
    stopReporting();
  }
}
