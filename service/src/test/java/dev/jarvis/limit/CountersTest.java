package dev.jarvis.limit;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.jarvis.config.Configs;
import dev.jarvis.limit.Counter.Kind;
import dev.jarvis.storage.Recorded;
import dev.jarvis.storage.Redis;
import dev.jarvis.storage.embedded.LocalRedis;
import dev.jarvis.storage.embedded.Stores;
import dev.jarvis.storage.embedded.TestRedis;
import dev.jarvis.telemetry.Metric;
import dev.jarvis.telemetry.Telemetry;
import io.lettuce.core.SetArgs;
import io.lettuce.core.api.async.RedisAsyncCommands;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

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
    redis = Stores.redis(TestRedis.config(server, Duration.ofSeconds(1)), home, telemetry);
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

  private void set(String parameter, String value) throws Exception {
    String answer = get(redis.send(it -> it.configSet(parameter, value)));
    assertThat(answer).isEqualTo("OK");
  }

  private static <T> T get(CompletionStage<T> stage) throws Exception {
    return stage.toCompletableFuture().get(20, TimeUnit.SECONDS);
  }

  private long inRedis(Counter counter) throws Exception {
    String key =
        "jarvis:{limits}:%s:%s:%s".formatted(counter.kind().id(), counter.scope(), counter.id());
    return get(redis.send(it -> it.hvals(key))).stream().mapToLong(Long::parseLong).sum();
  }

  @Test
  void whatALongFrozenRedisCountsLateIsBookedAsTheMemoryDecided() throws Exception {
    Demand few = new Demand(REQUEST.counter(), 1, 4);
    assertThat(granted(1, few)).isEqualTo(1);
    signal("-STOP");
    try {
      Counters.Result kept = take(few);
      Counters.Result ended = take(few);
      Counters.Result refused = take(few);
      assertThat(kept.verdict().granted()).isTrue();
      assertThat(ended.verdict().granted()).isTrue();
      assertThat(refused.verdict().granted()).as("above this replica's share").isFalse();
      counters.settle("call-2", ended, List.of(new Change(few.counter(), -1)));
      for (int i = 0; i < 2; i++) {
        assertThatThrownBy(redis::check).as("longer than the command timeout").isNotNull();
      }
    } finally {
      signal("-CONT");
    }
    await().atMost(LIMIT).until(() -> renewed() && !local());
    await().atMost(LIMIT).until(() -> inRedis(few.counter()) == 2);
    assertThat(granted(5, few)).isEqualTo(2);
  }

  @Test
  void oneSlowAnswerDoesNotReduceTheLimitToTheShareOfAReplica() throws Exception {
    Demand few = new Demand(REQUEST.counter(), 1, 4);
    assertThat(granted(3, few)).as("more than the share").isEqualTo(3);
    signal("-STOP");
    try {
      Counters.Result slow = take(few);
      assertThat(slow.verdict().granted()).isTrue();
      assertThat(slow.demands()).containsExactly(few);
      assertThat(local()).isFalse();
    } finally {
      signal("-CONT");
    }
    await().atMost(LIMIT).until(() -> inRedis(few.counter()) == 4);
  }

  @Test
  void aLocalRefusalSaysToTryAgainSoon() throws Exception {
    server.close();
    granted(20, REQUEST);
    assertThat(take(REQUEST).verdict().states().getFirst().waitMillis()).isEqualTo(10_000);
  }

  @ParameterizedTest
  @CsvSource({"maxmemory, 1", "min-replicas-to-write, 3", "replicaof, 127.0.0.1 1"})
  void aRedisThatCannotWriteIsAway(String parameter, String value) throws Exception {
    if (parameter.equals("replicaof")) {
      get(redis.send(it -> it.replicaof("127.0.0.1", 1)));
    } else {
      set(parameter, value);
    }
    for (int i = 0; i < 3; i++) {
      assertThat(local()).isFalse();
      counters.renew();
    }
    assertThat(local()).isTrue();
    assertThat(granted(20, REQUEST)).as("the share of 10").isEqualTo(5);
  }

  @Test
  void aFullRedisFreesSlotsThoughItCannotCount() throws Exception {
    Demand slot = new Demand(SLOT.counter(), 1, 1);
    Demand tokens = new Demand(new Counter(Kind.TOKENS, "user", "ann"), 10, 1000);
    Counters.Result first = counters.take("first", List.of(tokens, slot));
    set("maxmemory", "1");
    counters.settle(
        "first", first, List.of(new Change(tokens.counter(), 50), new Change(slot.counter(), -1)));
    set("maxmemory", "0");
    assertThat(take(slot).verdict().granted()).isTrue();
  }

  /** With the policy of the stack's Redis. */
  @Test
  void aCacheThatFillsTheMemoryGivesWayToCounters() throws Exception {
    Matcher policy =
        Pattern.compile("maxmemory-policy ([a-z-]+)")
            .matcher(Files.readString(Path.of("../stack/compose.yaml")));
    assertThat(policy.find()).isTrue();
    String value = "x".repeat(100_000);
    SetArgs hour = SetArgs.Builder.ex(Duration.ofHours(1));
    for (int i = 0; i < 200; i++) {
      String key = "cached-" + i;
      get(redis.send(it -> it.set(key, value, hour)));
    }
    set("maxmemory-policy", requireNonNull(policy.group(1)));
    set("maxmemory", "10mb");
    for (int i = 0; i < 10; i++) {
      Counters.Result result = take(REQUEST);
      assertThat(result.shared()).isCompleted();
      assertThat(result.verdict().granted()).isTrue();
    }
    assertThat(take(REQUEST).verdict().granted()).isFalse();
  }
}
