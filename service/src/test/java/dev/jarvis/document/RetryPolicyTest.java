package dev.jarvis.document;

import static org.assertj.core.api.Assertions.assertThat;

import dev.jarvis.config.Configs;
import dev.jarvis.document.Document.Failure;
import dev.jarvis.document.extract.ReaderUnavailableException;
import dev.jarvis.error.ApiException;
import dev.jarvis.provider.ProviderException;
import dev.jarvis.routing.RoutingErrors;
import java.io.IOException;
import java.time.Duration;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Which failures count as attempts, what users see of them, and how long the pauses are. */
class RetryPolicyTest {
  private static final RetryPolicy POLICY =
      new RetryPolicy(
          Configs.of(DocumentConfig.class, Map.of("first-retry", "5s", "longest-retry", "15m")));

  private static ApiException ownLimit(int seconds) {
    return new ApiException.Overloaded("Busy.", Duration.ofSeconds(seconds));
  }

  private static ApiException limitOfServer(int seconds) {
    return new ApiException.RateLimited(
        "Busy.", null, Duration.ofSeconds(seconds), new IOException("429"));
  }

  static Stream<Arguments> failures() {
    return Stream.of(
        Arguments.of(ownLimit(1), true, "overloaded"),
        Arguments.of(
            RoutingErrors.toClient(ProviderException.Busy.inProcess("Busy.")), true, "overloaded"),
        Arguments.of(
            RoutingErrors.toClient(new ProviderException.Busy("Busy.")),
            false,
            "embeddings_unavailable"),
        Arguments.of(limitOfServer(1), false, "embeddings_unavailable"),
        Arguments.of(
            new ApiException.Overloaded("Busy.", null, Duration.ZERO, new IOException("503")),
            false,
            "embeddings_unavailable"),
        Arguments.of(
            new ApiException.UpstreamFailed("Busy.", null), false, "embeddings_unavailable"),
        Arguments.of(
            new ApiException.NotFound("Busy.", "model", "model_not_found"),
            false,
            "embeddings_unavailable"),
        Arguments.of(new IOException("Busy."), false, "object_store_unavailable"),
        Arguments.of(ReaderUnavailableException.diskFull(), false, "reader_unavailable"),
        Arguments.of(new IllegalStateException("Busy."), false, "internal_error"));
  }

  @ParameterizedTest
  @MethodSource("failures")
  void onlyALimitOfJarvisIsADeferral(Exception e, boolean deferral, String code) {
    assertThat(RetryPolicy.isDeferral(e)).isEqualTo(deferral);
    Failure failure = RetryPolicy.failure(e);
    assertThat(failure.code()).isEqualTo(code);
    assertThat(failure.message())
        .isEqualTo(e instanceof ApiException ? "Busy." : failure.message())
        .endsWith(".");
  }

  /** Pauses in seconds; up to a tenth is added at random. */
  @ParameterizedTest
  @CsvSource({
    "1, 1, 5",
    "2, 1, 10",
    "8, 1, 640",
    "9, 1, 900",
    "1000, 1, 900",
    "1, 60, 60",
    "9, 60, 900",
    "1, 2000, 2000",
    "1, 100000, 3600"
  })
  void pausesDoubleAndHonourRetryAfter(int times, int retryAfter, long seconds) {
    for (ApiException e : new ApiException[] {ownLimit(retryAfter), limitOfServer(retryAfter)}) {
      assertThat(POLICY.pause(times, e))
          .isBetween(Duration.ofSeconds(seconds), Duration.ofMillis(seconds * 1_100));
    }
  }

  @Test
  void aFailureWithoutRetryAfterHasTheUsualPause() {
    assertThat(POLICY.pause(1, new IOException()))
        .isBetween(Duration.ofSeconds(5), Duration.ofMillis(5_500));
  }
}
