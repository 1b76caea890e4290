package dev.jarvis.limit;

import static org.assertj.core.api.Assertions.assertThat;

import dev.jarvis.limit.Counter.Kind;
import dev.jarvis.storage.Recorded;
import dev.jarvis.storage.Redis;
import dev.jarvis.storage.embedded.Stores;
import dev.jarvis.storage.embedded.TestRedis;
import dev.jarvis.telemetry.Telemetry;
import io.lettuce.core.api.async.RedisAsyncCommands;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The scripts, at times that the test chooses. */
@Timeout(60)
class RedisCountersTest {
  private static final Counter REQUESTS = new Counter(Kind.REQUESTS, "team", "research");
  private static final Counter TOKENS = new Counter(Kind.TOKENS, "team", "research");
  private static final Counter PARALLEL = new Counter(Kind.PARALLEL, "user", "ann");

  @TempDir Path home;
  private Telemetry telemetry;
  private TestRedis server;
  private Redis redis;
  private RedisCounters counters;
  private long now = 1_700_000_000_700L;

  @BeforeEach
  void start() throws Exception {
    telemetry = Recorded.start();
    server = TestRedis.take();
    redis = Stores.redis(server.config(Duration.ofSeconds(20)), home, telemetry);
    counters = new RedisCounters(redis, Duration.ofSeconds(30), () -> Long.toString(now));
  }

  @AfterEach
  void stop() throws Exception {
    redis.close();
    server.close();
    telemetry.close();
  }

  private static <T> T get(CompletionStage<T> stage) throws Exception {
    return stage.toCompletableFuture().get(20, TimeUnit.SECONDS);
  }

  private Verdict take(String call, Demand... demands) throws Exception {
    return get(counters.take(call, List.of(demands)));
  }

  private List<String> keys() throws Exception {
    return get(redis.send(it -> it.keys("*")));
  }

  @Test
  void aRetryAfterTheGivenTimePassesAndOneSecondBeforeDoesNot() throws Exception {
    Demand one = new Demand(REQUESTS, 1, 3);
    take("a", one);
    now += 10_000;
    take("b", one);
    take("c", one);
    now += 5_000;

    Verdict refused = take("d", one);
    long seconds = Math.ceilDiv(refused.states().getFirst().waitMillis(), 1000L);
    long refusedAt = now;
    now = refusedAt + (seconds - 1) * 1000;
    assertThat(take("e", one).granted()).isFalse();
    now = refusedAt + seconds * 1000;
    assertThat(take("f", one).granted()).isTrue();
    assertThat(take("g", one).granted()).as("only one bucket has left").isFalse();
  }

  @Test
  void tokensWaitUntilEnoughBucketsHaveLeft() throws Exception {
    take("a", new Demand(TOKENS, 30, 100));
    now += 20_000;
    take("b", new Demand(TOKENS, 50, 100));

    assertThat(take("c", new Demand(TOKENS, 40, 100)).states().getFirst())
        .as("until the first bucket leaves, 61 s after its second began")
        .isEqualTo(new Verdict.State(80, 40_300, 60_300));
    assertThat(take("c", new Demand(TOKENS, 60, 100)).states().getFirst().waitMillis())
        .isEqualTo(60_300);
    assertThat(take("c", new Demand(TOKENS, 5_000, 100)).states().getFirst().waitMillis())
        .as("more than the limit is as much as the limit")
        .isEqualTo(60_300);
  }

  @Test
  void aRefusalTakesNothingFromAnyCounter() throws Exception {
    Demand parallel = new Demand(PARALLEL, 1, 1);
    take("a", new Demand(REQUESTS, 1, 10), parallel);

    Verdict refused = take("b", new Demand(REQUESTS, 1, 10), new Demand(TOKENS, 7, 10), parallel);

    assertThat(refused.granted()).isFalse();
    assertThat(refused.states()).extracting(Verdict.State::used).containsExactly(1L, 0L, 1L);
    assertThat(refused.states())
        .extracting(Verdict.State::waitMillis)
        .containsExactly(0L, 0L, 1000L);
  }

  @Test
  void theSlotsOfADeadReplicaAreFreeAfterTheirLease() throws Exception {
    Demand slot = new Demand(PARALLEL, 1, 1);
    take("of the dead replica", slot);
    now += 29_999;
    assertThat(take("b", slot).granted()).isFalse();
    now += 1;
    assertThat(take("c", slot).granted()).isTrue();
  }

  @Test
  void aRenewedSlotIsHeldOn() throws Exception {
    Demand slot = new Demand(PARALLEL, 1, 1);
    take("a", slot);
    for (int i = 0; i < 20; i++) {
      now += 10_000;
      get(counters.renew(List.of(new RedisCounters.Slot("a", PARALLEL))));
      assertThat(take("b", slot).granted()).isFalse();
    }
    get(counters.settle("a", 0, List.of(new Change(PARALLEL, -1))));
    assertThat(take("b", slot).granted()).isTrue();
  }

  @Test
  void slotsComeBackWithTheNextRenewalAfterAFlush() throws Exception {
    Demand slot = new Demand(PARALLEL, 1, 1);
    take("a", slot);
    get(redis.send(RedisAsyncCommands::flushall));
    get(counters.renew(List.of(new RedisCounters.Slot("a", PARALLEL))));
    assertThat(take("b", slot).granted()).isFalse();
  }

  @Test
  void givingBackAfterAFlushLeavesNoDebt() throws Exception {
    Verdict taken = take("a", new Demand(TOKENS, 50, 100));
    get(redis.send(RedisAsyncCommands::flushall));
    get(counters.settle("a", taken.second(), List.of(new Change(TOKENS, -50))));
    assertThat(take("b", new Demand(TOKENS, 100, 100)).states().getFirst().used()).isEqualTo(100);
    assertThat(take("c", new Demand(TOKENS, 1, 100)).granted()).isFalse();
  }

  @Test
  void whatWasUsedBeyondTheEstimateMakesLaterCallsWait() throws Exception {
    Verdict taken = take("a", new Demand(TOKENS, 50, 100));
    now += 30_000;
    get(counters.settle("a", taken.second(), List.of(new Change(TOKENS, 400))));
    Verdict refused = take("b", new Demand(TOKENS, 10, 100));
    assertThat(refused.states().getFirst().used()).isEqualTo(450);
    now += refused.states().getFirst().waitMillis();
    assertThat(take("b", new Demand(TOKENS, 10, 100)).granted()).isTrue();
  }

  @Test
  void countersHaveNoTimeToLiveAndAreRemovedTwoMinutesAfterTheirLastUse() throws Exception {
    for (int i = 0; i < 50; i++) {
      take("a", new Demand(new Counter(Kind.REQUESTS, "user", "user-" + i), 1, 10));
    }
    for (String key : keys()) {
      Long left = get(redis.send(it -> it.ttl(key)));
      assertThat(left).as(key).isEqualTo(-1);
    }
    assertThat(keys()).hasSize(51);
    now += 120_001;
    for (int i = 0; i < 3; i++) {
      take("b", new Demand(REQUESTS, 1, 10));
    }
    assertThat(keys()).hasSize(2);
  }

  @Test
  void aRenewalRemovesWhatNobodyHasUsed() throws Exception {
    for (int i = 0; i < 50; i++) {
      take("a", new Demand(new Counter(Kind.REQUESTS, "user", "user-" + i), 1, 10));
    }
    now += 120_001;
    get(counters.renew(List.of()));
    assertThat(keys()).containsExactly("jarvis:{limits}:last_uses");
  }

  @Test
  void aClockThatGoesBackRefusesNobodyForLong() throws Exception {
    Demand one = new Demand(REQUESTS, 1, 1);
    Demand slot = new Demand(PARALLEL, 1, 1);
    assertThat(take("a", one, slot).granted()).isTrue();

    now -= 20_000;
    assertThat(take("b", one).states().getFirst().waitMillis()).isBetween(60_000L, 61_000L);
    now -= 3_600_000;
    assertThat(take("c", one, slot).granted()).isTrue();
  }
}
