package dev.jarvis.limit;

import static org.assertj.core.api.Assertions.assertThat;

import dev.jarvis.limit.Counter.Kind;
import dev.jarvis.storage.Recorded;
import dev.jarvis.storage.Redis;
import dev.jarvis.storage.embedded.Stores;
import dev.jarvis.storage.embedded.TestRedis;
import dev.jarvis.telemetry.Telemetry;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The memory and the scripts of Redis count alike, and grant no more than the limit. */
@Timeout(120)
class CountersModelTest {
  private static final Duration LEASE = Duration.ofSeconds(30);
  private static final int STEPS = 400;
  private static final long START = 1_700_000_000_123L;

  @TempDir Path home;
  private Telemetry telemetry;
  private TestRedis server;
  private Redis redis;
  private long now = START;

  /** A call that was granted. */
  private record Granted(String call, long second, long at, List<Demand> demands) {}

  @BeforeEach
  void start() throws Exception {
    telemetry = Recorded.start();
    server = TestRedis.take();
    redis = Stores.redis(server.config(Duration.ofSeconds(20)), home, telemetry);
  }

  @AfterEach
  void stop() throws Exception {
    redis.close();
    server.close();
    telemetry.close();
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5})
  void memoryAndScriptsCountAlike(long seed) throws Exception {
    Random random = new Random(seed);
    RedisCounters shared = new RedisCounters(redis, LEASE, () -> Long.toString(now));
    LocalCounters local = new LocalCounters(LEASE);
    Deque<Granted> open = new ArrayDeque<>();
    List<Granted> all = new ArrayList<>();
    for (int step = 0; step < STEPS; step++) {
      now += random.nextInt(4) == 0 ? random.nextInt(20_000) : random.nextInt(700);
      String what = "seed %d, step %d".formatted(seed, step);
      int action = random.nextInt(10);
      if (action < 6 || open.isEmpty()) {
        String call = "call-" + step;
        List<Demand> demands = demands(random);
        Verdict verdict = get(shared.take(call, demands));
        assertThat(local.take(now, call, demands)).as(what).isEqualTo(verdict);
        if (verdict.granted()) {
          Granted granted = new Granted(call, verdict.second(), now, demands);
          open.add(granted);
          all.add(granted);
        }
      } else if (action < 9) {
        Granted ended = open.remove();
        List<Change> changes =
            ended.demands().stream()
                .map(it -> new Change(it.counter(), random.nextInt(41) - 20))
                .toList();
        get(shared.settle(ended.call(), ended.second(), changes));
        local.settle(now, ended.call(), ended.second(), changes);
      } else {
        List<RedisCounters.Slot> slots = new ArrayList<>();
        for (Granted each : open) {
          List<Counter> held =
              each.demands().stream()
                  .map(Demand::counter)
                  .filter(it -> it.kind() == Kind.PARALLEL)
                  .toList();
          held.forEach(it -> slots.add(new RedisCounters.Slot(each.call(), it)));
          local.renew(now, each.call(), held);
        }
        get(shared.renew(slots));
      }
    }
    assertThat(all).as("some are granted").hasSizeGreaterThan(STEPS / 10);
    assertThat(all).as("and some are not").hasSizeLessThan(STEPS / 2);
  }

  private static List<Demand> demands(Random random) {
    String key = "key-" + random.nextInt(3);
    List<Demand> demands = new ArrayList<>();
    demands.add(new Demand(new Counter(Kind.REQUESTS, "key", key), 1, 8));
    demands.add(new Demand(new Counter(Kind.TOKENS, "key", key), random.nextInt(60), 200));
    demands.add(new Demand(new Counter(Kind.PARALLEL, "key", key), 1, 5));
    if (random.nextBoolean()) {
      demands.add(new Demand(new Counter(Kind.REQUESTS, "team", "ours"), 1, 15));
      demands.add(new Demand(new Counter(Kind.TOKENS, "team", "ours"), random.nextInt(60), 300));
    }
    return demands;
  }

  @ParameterizedTest
  @ValueSource(longs = {6, 7, 8})
  void neverMoreThanTheLimitInAnySixtySeconds(long seed) {
    Random random = new Random(seed);
    LocalCounters local = new LocalCounters(LEASE);
    List<Demand> demands = List.of(new Demand(new Counter(Kind.REQUESTS, "user", "ann"), 1, 50));
    Deque<Long> granted = new ArrayDeque<>();
    int most = 0;
    for (int i = 0; i < 20_000; i++) {
      now += random.nextInt(5) == 0 ? random.nextInt(900) : random.nextInt(3);
      if (local.take(now, "call", demands).granted()) {
        granted.add(now);
      }
      while (!granted.isEmpty() && granted.getFirst() <= now - 60_000) {
        granted.remove();
      }
      most = Math.max(most, granted.size());
    }
    assertThat(most).isEqualTo(50);
  }

  private static <T> T get(CompletionStage<T> stage) throws Exception {
    return stage.toCompletableFuture().get(20, TimeUnit.SECONDS);
  }
}
