package dev.jarvis.limit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.jarvis.config.Configs;
import dev.jarvis.limit.Counter.Kind;
import dev.jarvis.storage.Recorded;
import dev.jarvis.storage.Redis;
import dev.jarvis.storage.RedisConfig;
import dev.jarvis.storage.embedded.LocalRedis;
import dev.jarvis.storage.embedded.Stores;
import dev.jarvis.telemetry.Metric;
import dev.jarvis.telemetry.Telemetry;
import io.lettuce.core.RedisURI;
import io.lettuce.core.api.async.RedisAsyncCommands;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Counting while a Redis of the test's own goes away and comes back. */
@Timeout(120)
class CountersTest {
  private static final Duration LIMIT = Duration.ofSeconds(30);
  private static final Demand REQUEST =
      new Demand(new Counter(Kind.REQUESTS, "user", "ann"), 1, 10);
  private static final Demand SLOT = new Demand(new Counter(Kind.PARALLEL, "user", "ann"), 1, 4);

  @TempDir Path home;
  private Telemetry telemetry;
  private LocalRedis server;
  private Redis redis;
  private Counters counters;
  private int calls;
  private final AtomicLong now = new AtomicLong(1_000_000);

  @BeforeEach
  void start() throws Exception {
    telemetry = Recorded.start();
    server = LocalRedis.start(home.resolve("redis"));
    RedisURI uri = server.uri();
    redis =
        Stores.redis(
            Configs.of(
                RedisConfig.class,
                Map.of(
                    "url",
                    "redis://%s:%d".formatted(uri.getHost(), uri.getPort()),
                    "password",
                    server.password(),
                    "command-timeout",
                    "1s")),
            home,
            telemetry);
    counters = counters();
    await().atMost(LIMIT).ignoreExceptions().untilAsserted(redis::check);
  }

  private Counters counters() {
    return new Counters(
        new RedisCounters(redis, Duration.ofSeconds(30)),
        Configs.of(LimitConfig.class, Map.of("max-replicas", "2")),
        telemetry.instruments(),
        now::get);
  }

  @AfterEach
  void stop() throws Exception {
    counters.close();
    redis.close();
    server.close();
    telemetry.close();
  }

  private Counters.Result take(Demand... demands) {
    return counters.take("call-" + calls++, List.of(demands));
  }

  private long granted(int tries, Demand... demands) {
    long granted = 0;
    for (int i = 0; i < tries; i++) {
      granted += take(demands).verdict().granted() ? 1 : 0;
    }
    return granted;
  }

  private void signal(String signal) throws Exception {
    Process kill = new ProcessBuilder("kill", signal, Long.toString(server.pid())).start();
    assertThat(kill.waitFor(20, TimeUnit.SECONDS)).isTrue();
  }

  private static boolean local() {
    return Recorded.value(Metric.LIMITS_LOCAL).orElseThrow() == 1;
  }

  @Test
  void aStoppedRedisLeavesTheShareOfThisReplicaAndNoFreeBurst() throws Exception {
    assertThat(granted(3, REQUEST)).isEqualTo(3);
    assertThat(local()).isFalse();
    server.close();

    assertThat(granted(20, REQUEST)).as("5 is the share, and 3 are used").isEqualTo(2);
    assertThat(local()).isTrue();
    now.addAndGet(61_000);
    assertThat(granted(20, REQUEST)).as("a minute later").isEqualTo(5);
  }

  @Test
  void aFrozenRedisDelaysFewCallsAndCountsNoneTwice() throws Exception {
    assertThat(granted(1, REQUEST)).isEqualTo(1);
    signal("-STOP");
    try {
      assertThat(granted(50, REQUEST)).isEqualTo(4);
      assertThat(local()).isTrue();
    } finally {
      signal("-CONT");
    }
    await().atMost(LIMIT).until(() -> renewed() && !local());
    assertThat(take(REQUEST).shared()).isCompleted();
  }

  private boolean renewed() throws InterruptedException {
    counters.renew();
    return true;
  }

  @Test
  void slotsThatWereGrantedLocallyAreKnownToRedisWhenItIsBack() throws Exception {
    server.close();
    assertThat(granted(20, SLOT)).as("the share of 4").isEqualTo(2);
    int port = server.uri().getPort();
    server = LocalRedis.start(home.resolve("redis"), port, server.password());
    await().atMost(LIMIT).until(() -> renewed() && !local());

    assertThat(granted(20, SLOT)).as("2 of 4 are in use").isEqualTo(2);
  }

  @Test
  void aFlushedRedisKnowsTheSlotsAgainAfterTheNextRenewal() throws Exception {
    Counters.Result first = counters.take("first", List.of(SLOT));
    assertThat(granted(2, SLOT)).isEqualTo(2);
    redis.send(RedisAsyncCommands::flushall).toCompletableFuture().get(20, TimeUnit.SECONDS);
    counters.renew();
    assertThat(granted(20, SLOT)).isEqualTo(1);

    counters.settle("first", first, List.of(new Change(SLOT.counter(), -1)));
    counters.renew();
    assertThat(granted(20, SLOT)).as("a settled call is not renewed").isEqualTo(1);
  }

  @Test
  void countsInARestartedRedisGoOn() throws Exception {
    assertThat(granted(4, REQUEST)).isEqualTo(4);
    int port = server.uri().getPort();
    server.close();
    server = LocalRedis.start(home.resolve("redis"), port, server.password());
    await().atMost(LIMIT).ignoreExceptions().untilAsserted(redis::check);

    assertThat(granted(20, REQUEST)).as("the embedded Redis stores what it knows").isEqualTo(6);
  }
}
