package dev.jarvis.storage.embedded;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.jarvis.config.Configs;
import dev.jarvis.storage.Recorded;
import dev.jarvis.storage.Redis;
import dev.jarvis.storage.RedisConfig;
import dev.jarvis.telemetry.Metric;
import dev.jarvis.telemetry.Telemetry;
import io.lettuce.core.RedisURI;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.context.Scope;
import io.opentelemetry.sdk.trace.data.SpanData;
import java.io.IOException;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

class RedisTest {
  private static final Duration LIMIT = Duration.ofSeconds(20);
  private static final RedisConfig EMBEDDED =
      Configs.of(RedisConfig.class, Map.of("command-timeout", LIMIT.toString()));

  @TempDir Path home;
  private Telemetry telemetry;

  @BeforeEach
  void start() {
    telemetry = Recorded.start();
  }

  @AfterEach
  void stop() {
    telemetry.close();
  }

  @Test
  void keepsDataBetweenRuns() throws Exception {
    try (Redis redis = Stores.redis(EMBEDDED, home, telemetry)) {
      redis.send(it -> it.set("k", "v")).toCompletableFuture().get(20, TimeUnit.SECONDS);
    }
    try (Redis redis = Stores.redis(EMBEDDED, home, telemetry)) {
      assertThat(redis.send(it -> it.get("k")).toCompletableFuture().get(20, TimeUnit.SECONDS))
          .isEqualTo("v");
    }
  }

  @Test
  void refusesASecondJarvisOnTheSameFolder() throws IOException {
    try (Redis redis = Stores.redis(EMBEDDED, home, telemetry)) {
      assertThatThrownBy(() -> Stores.redis(EMBEDDED, home, telemetry))
          .isInstanceOf(IOException.class)
          .hasMessageContaining("another JARVIS uses the folder");
      assertThatCode(redis::check).doesNotThrowAnyException();
    }
  }

  @Test
  void recordsASpanForATracedCommandAndNoneForACheck() throws Exception {
    try (Redis redis = Stores.redis(EMBEDDED, home, telemetry)) {
      redis.check();
      Span parent = telemetry.tracer().spanBuilder("request").startSpan();
      try (Scope ignored = parent.makeCurrent()) {
        redis
            .sendTraced("SET", it -> it.set("k", "v"))
            .toCompletableFuture()
            .get(20, TimeUnit.SECONDS);
      }
      assertThat(Recorded.spans()).extracting(SpanData::getName).containsExactly("SET redis");
      assertThat(Recorded.spans().getFirst().getParentSpanId())
          .isEqualTo(parent.getSpanContext().getSpanId());
      assertThat(Recorded.value(Metric.DB_CLIENT_OPERATION_DURATION, "redis", "SET")).hasValue(1L);
    }
  }

  @Test
  void startsWithoutRedisAndConnectsLater() throws Exception {
    int port;
    try (ServerSocket socket = new ServerSocket(0)) {
      port = socket.getLocalPort();
    }
    RedisConfig config =
        Configs.of(
            RedisConfig.class,
            Map.of(
                "url",
                "redis://localhost:" + port,
                "password",
                "s3cret",
                "command-timeout",
                LIMIT.toString()));
    try (Redis redis = Stores.redis(config, home, telemetry)) {
      assertThatThrownBy(redis::check).isInstanceOf(ExecutionException.class);
      assertThat(redis.sendTraced("SET", it -> it.set("k", "v")))
          .as("without waiting")
          .isCompletedExceptionally();
      assertThat(Recorded.value(Metric.DB_CLIENT_OPERATION_ERRORS, "redis", "SET")).hasValue(1L);

      try (LocalRedis server = LocalRedis.start(home.resolve("redis"), port, "s3cret")) {
        assertThat(server.uri().getPort()).isEqualTo(port);
        await().atMost(LIMIT).ignoreExceptions().untilAsserted(redis::check);
      }
    }
  }

  @Test
  @Timeout(60) // the server is stalled until the test continues
  void aStalledRedisBlocksNoCaller() throws Exception {
    try (LocalRedis server = LocalRedis.start(home.resolve("redis"))) {
      RedisURI uri = server.uri();
      String password = server.password();
      RedisConfig config =
          Configs.of(
              RedisConfig.class,
              Map.of(
                  "url",
                  "redis://%s:%d".formatted(uri.getHost(), uri.getPort()),
                  "password",
                  password,
                  "command-timeout",
                  "300ms"));
      try (Redis redis = Stores.redis(config, home, telemetry)) {
        await().atMost(LIMIT).ignoreExceptions().untilAsserted(redis::check);
        signal("-STOP", server);
        try {
          assertThatThrownBy(redis::check).isInstanceOf(Exception.class);
          assertThat(redis.send(it -> it.get("k"))).failsWithin(LIMIT);
        } finally {
          signal("-CONT", server);
        }
        await().atMost(LIMIT).ignoreExceptions().untilAsserted(redis::check);
      }
    }
  }

  private static void signal(String signal, LocalRedis server) throws Exception {
    Process kill = new ProcessBuilder("kill", signal, Long.toString(server.pid())).start();
    assertThat(kill.waitFor(20, TimeUnit.SECONDS)).isTrue();
  }
}
