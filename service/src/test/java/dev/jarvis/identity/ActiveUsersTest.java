package dev.jarvis.identity;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.jarvis.config.Configs;
import dev.jarvis.storage.Recorded;
import dev.jarvis.storage.Redis;
import dev.jarvis.storage.RedisConfig;
import dev.jarvis.storage.embedded.Stores;
import dev.jarvis.storage.embedded.TestRedis;
import dev.jarvis.telemetry.Metric;
import dev.jarvis.telemetry.Telemetry;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.context.Scope;
import io.opentelemetry.sdk.trace.data.SpanData;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ActiveUsersTest {
  private static final Duration COMMAND_TIMEOUT = Duration.ofMinutes(1);
  private static final Duration WINDOW = Duration.ofMinutes(5);
  private static final Duration PERIOD = Duration.ofMillis(50);

  @TempDir Path home;
  private final AtomicReference<Instant> now = new AtomicReference<>(Instant.now());
  private final InstantSource clock = now::get;
  private final AtomicLong nanoTime = new AtomicLong();
  private Telemetry telemetry;

  @BeforeEach
  void start() {
    telemetry = Recorded.start();
  }

  @AfterEach
  void stop() {
    telemetry.close();
  }

  private Redis open(TestRedis server, Telemetry of) throws IOException {
    return Stores.redis(server.config(COMMAND_TIMEOUT), home, of);
  }

  private ActiveUsers replica(Redis redis, Telemetry of) {
    return new ActiveUsers(redis, of.instruments(), WINDOW, PERIOD, clock, nanoTime::get);
  }

  private static void assertActive(long users) {
    await()
        .atMost(Duration.ofSeconds(20))
        .untilAsserted(() -> assertThat(Recorded.value(Metric.ACTIVE_USERS)).hasValue(users));
  }

  @Test
  void countsDistinctUsersOfAllReplicasWithinTheWindow() throws Exception {
    try (Telemetry other = Recorded.start();
        Telemetry watched = Recorded.start();
        TestRedis server = TestRedis.take();
        Redis redis = open(server, other);
        ActiveUsers first = replica(redis, other);
        ActiveUsers second = replica(redis, watched)) {
      assertActive(0);
      first.seen("ann");
      first.seen("ann");
      first.seen("bob");
      second.seen("bob");
      second.seen("eve");
      assertActive(3);

      now.updateAndGet(it -> it.plus(WINDOW).minusSeconds(1));
      first.seen("ann");
      now.updateAndGet(it -> it.plusSeconds(2));
      assertActive(1);
      now.updateAndGet(it -> it.plus(WINDOW));
      assertActive(0);
    }
  }

  @Test
  void recordsASpanForARequestAndNoneForTheRefresh() throws Exception {
    try (TestRedis server = TestRedis.take();
        Redis redis = open(server, telemetry);
        ActiveUsers users = replica(redis, telemetry)) {
      Span request = telemetry.tracer().spanBuilder("request").startSpan();
      try (Scope ignored = request.makeCurrent()) {
        users.seen("ann");
      }
      assertActive(1);
      assertThat(Recorded.spans()).extracting(SpanData::getName).containsExactly("ZADD redis");
      assertThat(Recorded.spans().getFirst().getParentSpanId())
          .isEqualTo(request.getSpanContext().getSpanId());
    }
  }

  @Test
  void reportsNothingAfterRedisWasUnavailableForTheWindow() throws Exception {
    RedisConfig unavailable =
        Configs.of(
            RedisConfig.class,
            Map.of("url", "redis://localhost:1", "command-timeout", COMMAND_TIMEOUT.toString()));
    try (Redis redis = Stores.redis(unavailable, home, telemetry);
        ActiveUsers users = replica(redis, telemetry)) {
      assertThat(Recorded.value(Metric.ACTIVE_USERS)).hasValue(0L);
      long start = System.nanoTime();
      users.seen("ann");
      assertThat(Duration.ofNanos(System.nanoTime() - start))
          .isLessThan(COMMAND_TIMEOUT.dividedBy(2));
      nanoTime.addAndGet(WINDOW.plusSeconds(1).toNanos());
      await()
          .atMost(Duration.ofSeconds(20))
          .untilAsserted(() -> assertThat(Recorded.value(Metric.ACTIVE_USERS)).isEmpty());
    }
  }
}
