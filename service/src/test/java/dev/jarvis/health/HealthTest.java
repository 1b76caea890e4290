package dev.jarvis.health;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.jarvis.http.BearerTokens;
import dev.jarvis.http.ByteBudget;
import dev.jarvis.http.JsonBody;
import dev.jarvis.http.Routes;
import io.helidon.health.HealthCheck;
import io.helidon.webserver.http.HttpRouting;
import io.helidon.webserver.testing.junit5.DirectClient;
import io.helidon.webserver.testing.junit5.RoutingTest;
import io.helidon.webserver.testing.junit5.SetUpRoute;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

@RoutingTest
class HealthTest {
  private static final Map<String, Boolean> BROKEN = new ConcurrentHashMap<>();
  private static final Duration PERIOD = Duration.ofMillis(20);
  private static final Duration LIMIT = Duration.ofSeconds(20);

  private final DirectClient client;

  HealthTest(DirectClient client) {
    this.client = client;
  }

  @SetUpRoute
  static void routing(HttpRouting.Builder routing) throws InterruptedException {
    List<HealthCheck> checks =
        List.of(check("database"), check("redis"), check("minio"), check("ollama"));
    Routes routes =
        new Routes(
            new BearerTokens(
                (credential, address) -> {
                  throw new AssertionError("no client");
                },
                null),
            (group, user) -> {},
            new JsonBody(1, 1, new ByteBudget(0)),
            "");
    new HealthRoutes(Health.start(checks, PERIOD, LIMIT), "0.13.0").register(routes);
    routes.register(routing);
  }

  private static HealthCheck check(String name) {
    return new DependencyCheck(
        name,
        () -> {
          if (BROKEN.containsKey(name)) {
            throw new IllegalStateException("gone");
          }
        });
  }

  @AfterEach
  void repair() {
    BROKEN.clear();
  }

  @Test
  void healthyHasTheSpecifiedFieldsInOrder() {
    awaitHealth(200, "healthy");
    assertThat(body("/health"))
        .matches(
            "\\{\"status\":\"healthy\",\"version\":\"0.13.0\",\"uptime_seconds\":\\d+,\"checks\":"
                + "\\{\"database\":\"ok\",\"redis\":\"ok\",\"minio\":\"ok\",\"ollama\":\"ok\"}}");
  }

  @Test
  void aMissingDatabaseIsDegradedAndReady() {
    BROKEN.put("database", true);

    awaitHealth(200, "degraded");
    assertThat(body("/health")).contains("\"database\":\"error\",\"redis\":\"ok\"");
    assertThat(status("/health/ready")).isEqualTo(200);
  }

  @Test
  void missingModelServersAreUnhealthyAndNotReady() {
    BROKEN.put("ollama", true);

    awaitHealth(503, "unhealthy");
    assertThat(status("/health/ready")).isEqualTo(503);
    assertThat(status("/health/live")).isEqualTo(200);
  }

  @Test
  void aCheckThatHangsFailsAndDelaysNoOther() throws Exception {
    CountDownLatch stall = new CountDownLatch(1);
    try (Health health =
        Health.start(
            List.of(
                new DependencyCheck("slow", stall::await), new DependencyCheck("quick", () -> {})),
            PERIOD,
            Duration.ofMillis(200))) {
      await()
          .atMost(LIMIT)
          .untilAsserted(
              () ->
                  assertThat(health.states())
                      .containsExactly(
                          Map.entry("slow", Health.State.ERROR),
                          Map.entry("quick", Health.State.OK)));
      await()
          .atMost(LIMIT)
          .untilAsserted(
              () ->
                  assertThat(health.up())
                      .containsExactly(Map.entry("slow", 0L), Map.entry("quick", 1L)));
      stall.countDown();
      await().atMost(LIMIT).until(() -> health.states().get("slow") == Health.State.OK);
    }
  }

  @Test
  void aSuccessAfterTheLimitIsAFailure() throws Exception {
    ScheduledExecutorService reachesEveryLimitAtOnce =
        new ScheduledThreadPoolExecutor(1) {
          @Override
          public ScheduledFuture<?> schedule(Runnable command, long delay, TimeUnit unit) {
            command.run();
            return super.schedule(() -> {}, delay, unit);
          }
        };
    try (Health health =
        Health.start(
            List.of(new DependencyCheck("late", () -> {})),
            Duration.ofHours(1),
            Duration.ofSeconds(20),
            reachesEveryLimitAtOnce)) {
      assertThat(health.states()).containsExactly(Map.entry("late", Health.State.ERROR));
    }
  }

  @Test
  void anErrorIsAFailureAndDoesNotEndTheChecks() throws Exception {
    CountDownLatch asked = new CountDownLatch(3);
    DependencyCheck broken =
        new DependencyCheck(
            "broken",
            () -> {
              asked.countDown();
              throw new NoClassDefFoundError("driver");
            });
    try (Health health = Health.start(List.of(broken), PERIOD, Duration.ofSeconds(20))) {
      assertThat(asked.await(20, TimeUnit.SECONDS)).isTrue();
      assertThat(health.states()).containsExactly(Map.entry("broken", Health.State.ERROR));
    }
  }

  private void awaitHealth(int status, String word) {
    await()
        .atMost(LIMIT)
        .untilAsserted(
            () -> {
              assertThat(body("/health")).contains("\"status\":\"" + word + "\"");
              assertThat(status("/health")).isEqualTo(status);
            });
  }

  private String body(String path) {
    try (var response = client.get(path).request()) {
      return response.as(String.class);
    }
  }

  private int status(String path) {
    try (var response = client.get(path).request()) {
      return response.status().code();
    }
  }
}
