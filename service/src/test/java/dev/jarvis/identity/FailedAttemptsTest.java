package dev.jarvis.identity;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.jarvis.error.ApiException;
import java.net.InetAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class FailedAttemptsTest {
  private static final Duration LIMIT = Duration.ofSeconds(20);

  private final AtomicLong nanoTime = new AtomicLong();
  private final FailedAttempts attempts = new FailedAttempts(3, nanoTime::get);

  private static InetAddress address(String text) {
    return InetAddress.ofLiteral(text);
  }

  private void fail(String address) {
    attempts.begin(address(address)).end(true);
  }

  private Duration refused(String address) {
    try {
      attempts.begin(address(address)).end(false);
      return Duration.ZERO;
    } catch (AuthenticationFailure e) {
      return ((ApiException.RateLimited) e.error()).retryAfter();
    }
  }

  private void after(Duration time) {
    nanoTime.addAndGet(time.toNanos());
  }

  @Test
  void soManyFailuresAtOnceAndThenAtAnEvenRate() {
    for (int i = 0; i < 3; i++) {
      assertThat(refused("192.0.2.1")).isZero();
      fail("192.0.2.1");
    }
    assertThat(refused("192.0.2.1")).isEqualTo(Duration.ofSeconds(20));

    after(Duration.ofSeconds(19));
    assertThat(refused("192.0.2.1")).isEqualTo(Duration.ofSeconds(1));
    after(Duration.ofSeconds(1));
    fail("192.0.2.1");
    assertThat(refused("192.0.2.1")).isEqualTo(Duration.ofSeconds(20));

    after(Duration.ofMinutes(1));
    for (int i = 0; i < 3; i++) {
      fail("192.0.2.1");
    }
    assertThat(refused("192.0.2.1")).isPositive();
  }

  @Test
  void successesDoNotCount() {
    for (int i = 0; i < 100; i++) {
      attempts.begin(address("192.0.2.1")).end(false);
    }
    assertThat(refused("192.0.2.1")).isZero();
  }

  @ParameterizedTest
  @CsvSource({
    "192.0.2.1, 192.0.2.1, true",
    "192.0.2.1, 192.0.2.2, false",
    "2001:db8:0:1::1, 2001:db8:0:1:ffff::2, true",
    "2001:db8:0:1::1, 2001:db8:0:2::1, false",
    "::ffff:192.0.2.1, 192.0.2.1, true"
  })
  void whichAddressesCountAsOne(String first, String second, boolean one) {
    for (int i = 0; i < 3; i++) {
      fail(first);
    }
    assertThat(refused(second).isPositive()).isEqualTo(one);
  }

  @Test
  void unknownAddressesCountAsOne() {
    for (int i = 0; i < 3; i++) {
      attempts.begin(null).end(true);
    }
    assertThatThrownBy(() -> attempts.begin(null)).isInstanceOf(AuthenticationFailure.class);
    assertThat(refused("192.0.2.1")).isZero();
  }

  /** A burst must not pass before the first of its failures has been counted. */
  @Test
  void aBurstHasNoMoreFailuresThanAllowed() {
    AtomicLong failures = new AtomicLong();
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      List<CompletableFuture<Void>> burst = new ArrayList<>();
      for (int i = 0; i < 50; i++) {
        burst.add(
            CompletableFuture.runAsync(
                () -> {
                  FailedAttempts.Attempt attempt = attempts.begin(address("192.0.2.1"));
                  failures.incrementAndGet();
                  attempt.end(true);
                },
                threads));
      }
      burst.forEach(it -> await().atMost(LIMIT).until(it::isDone));
      assertThat(burst.stream().filter(CompletableFuture::isCompletedExceptionally)).hasSize(47);
    }
    assertThat(failures).hasValue(3);
  }

  @Test
  void attemptsThatSucceedMakeRoomForThoseThatWait() throws Exception {
    List<FailedAttempts.Attempt> running = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      running.add(attempts.begin(address("192.0.2.1")));
    }
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      CompletableFuture<FailedAttempts.Attempt> waiting =
          CompletableFuture.supplyAsync(() -> attempts.begin(address("192.0.2.1")), threads);
      assertThat(waiting).isNotDone();
      running.getFirst().end(false);
      waiting.get(20, TimeUnit.SECONDS).end(false);
    }
  }

  @Test
  void addressesAreForgotten() {
    for (int i = 0; i < 30_000; i++) {
      fail("10.%d.%d.1".formatted(i / 250, i % 250));
    }
    assertThat(attempts.size()).isLessThanOrEqualTo(10_000);
    after(Duration.ofMinutes(5));
    await().atMost(LIMIT).until(() -> attempts.size() == 0); // in steps
  }
}
