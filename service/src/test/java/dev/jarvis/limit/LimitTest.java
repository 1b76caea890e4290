package dev.jarvis.limit;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jarvis.concurrent.CancelledException;
import dev.jarvis.config.Configs;
import dev.jarvis.error.ApiException;
import dev.jarvis.gateway.Call;
import dev.jarvis.gateway.Caller;
import dev.jarvis.gateway.ChatRequest;
import dev.jarvis.gateway.Grants;
import dev.jarvis.gateway.Pipeline;
import dev.jarvis.gateway.RateLimits;
import dev.jarvis.gateway.RateStatus;
import dev.jarvis.gateway.ScopedLimits;
import dev.jarvis.gateway.ScopedLimits.Scope;
import dev.jarvis.gateway.Settlement;
import dev.jarvis.gateway.Stage;
import dev.jarvis.id.UuidV7;
import dev.jarvis.json.Json;
import dev.jarvis.storage.Recorded;
import dev.jarvis.storage.Redis;
import dev.jarvis.storage.embedded.Stores;
import dev.jarvis.storage.embedded.TestRedis;
import dev.jarvis.telemetry.Telemetry;
import java.nio.file.Path;
import java.time.Duration;
import java.time.LocalDate;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Whose limits apply to a call, and what it has used when a later stage ends it. */
@Timeout(60)
class LimitTest {
  private static final LimitConfig CONFIG =
      Configs.of(
          LimitConfig.class,
          Map.of(
              "key.requests-per-minute", "5",
              "team.requests-per-minute", "7",
              "redis-timeout", "20s"));

  @TempDir Path home;
  private Telemetry telemetry;
  private TestRedis server;
  private Redis redis;
  private Counters counters;

  @BeforeEach
  void start() throws Exception {
    telemetry = Recorded.start();
    server = TestRedis.take();
    redis = Stores.redis(server.config(Duration.ofSeconds(20)), home, telemetry);
    counters = new Counters(redis, CONFIG, telemetry.instruments());
  }

  @AfterEach
  void stop() throws Exception {
    counters.close();
    redis.close();
    server.close();
    telemetry.close();
  }

  private static Call call(Caller caller) {
    ObjectNode body = Json.object().put("model", "m").put("max_tokens", 10);
    body.putArray("messages").addObject().put("role", "user").put("content", "12345678");
    return Call.of(UuidV7.next(), "r", caller, new ChatRequest("m", body), false, "");
  }

  private static Caller caller(String user, ScopedLimits... limits) {
    return new Caller(user, null, "key", null, Grants.ALL, List.of(limits));
  }

  private static ScopedLimits scoped(Scope scope, String id, RateLimits limits) {
    return new ScopedLimits(scope, id, limits);
  }

  /** Runs a call that a later stage ends with a failure; what the limits left to it. */
  private @Nullable RateStatus run(Caller caller, RuntimeException failure) {
    Stage last =
        (call, next) -> {
          throw failure;
        };
    Settlement settlement =
        new Settlement(
            telemetry.instruments(),
            (target, at, usage, compute) -> Optional.empty(),
            it -> it,
            it -> LocalDate.EPOCH,
            entry -> {});
    Call call = call(caller);
    Pipeline pipeline =
        new Pipeline(
            List.of(new Limit(CONFIG, 1000, counters, telemetry.instruments()), last), settlement);
    assertThatThrownBy(() -> pipeline.run(call)).isSameAs(failure);
    return call.record().rateStatus();
  }

  private long limit(Caller caller, RuntimeException failure) {
    RateStatus status = requireNonNull(run(caller, failure));
    return requireNonNull(status.requests()).limit();
  }

  static Stream<Arguments> failures() {
    return Stream.of(
        Arguments.of(new ApiException.InvalidRequest("m", null, null), 0),
        Arguments.of(new ApiException.NotFound("m", null, null), 0),
        Arguments.of(new ApiException.Forbidden("m"), 0),
        Arguments.of(new ApiException.BodyTooLarge("m"), 0),
        Arguments.of(new ApiException.Overloaded("m"), 0),
        Arguments.of(new ApiException.StorageUnavailable("m", "c", null), 0),
        Arguments.of(new ApiException.Refused(422, "m", null, null, null), 0),
        Arguments.of(new ApiException.RateLimited("m", null, Duration.ZERO, null), 0),
        Arguments.of(new ApiException.UpstreamFailed("m", null), 1),
        Arguments.of(new CancelledException(), 1),
        Arguments.of(new IllegalStateException("a fault of JARVIS"), 1));
  }

  @ParameterizedTest
  @MethodSource("failures")
  void refusalsUseNothingAndFailuresUseARequest(RuntimeException failure, int requests) {
    Caller caller = caller("ann", scoped(Scope.USER, "ann", new RateLimits(10, 1000, 1)));
    for (int i = 0; i < 4; i++) {
      RateStatus status = requireNonNull(run(caller, failure));
      assertThat(requireNonNull(status.requests()).remaining()).isEqualTo(10 - 1 - i * requests);
      assertThat(requireNonNull(status.tokens()).remaining())
          .as("no model worked")
          .isEqualTo(1000 - 12);
    }
  }

  @Test
  void limitsOfTheirOwnTakePrecedenceAndTheTightestIsShown() {
    RuntimeException counted = new IllegalStateException("counted");
    ScopedLimits byDefault = scoped(Scope.KEY, "key", RateLimits.DEFAULTS);
    ScopedLimits own = scoped(Scope.KEY, "other", new RateLimits(3, null, null));
    ScopedLimits team = scoped(Scope.TEAM, "research", RateLimits.DEFAULTS);

    assertThat(limit(caller("ann", byDefault, team), counted)).isEqualTo(5);
    assertThat(limit(caller("bob", own, team), counted)).isEqualTo(3);
    for (int i = 0; i < 5; i++) {
      String user = "user-" + i;
      run(caller(user, scoped(Scope.USER, user, RateLimits.DEFAULTS), team), counted);
    }
    Call refused = call(caller("eve", team));
    Limit limit = new Limit(CONFIG, 1000, counters, telemetry.instruments());
    Stage.Next none =
        it -> {
          throw new AssertionError("the call must be refused");
        };
    assertThatThrownBy(() -> limit.handle(refused, none))
        .isInstanceOf(ApiException.RateLimited.class)
        .hasMessageStartingWith(
            "Your team 'research' has made 7 requests in the last minute; its limit is 7.");
  }

  @Test
  void callsOfTheServiceAndOfOthersWithoutLimitsDoNotReachRedis() {
    RuntimeException failure = new IllegalStateException();
    assertThat(run(Caller.service("ann"), failure)).isNull();
    assertThat(run(caller("ann", scoped(Scope.USER, "ann", RateLimits.DEFAULTS)), failure))
        .isNull();
    assertThat(Recorded.spans()).isEmpty();
  }
}
