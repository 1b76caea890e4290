package dev.jarvis.routing;

import static org.assertj.core.api.Assertions.assertThat;

import dev.jarvis.routing.CircuitBreaker.Permit;
import dev.jarvis.routing.CircuitBreaker.Verdict;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class CircuitBreakerTest {
  private final AtomicLong now = new AtomicLong(Long.MAX_VALUE - 1); // overflows, as nanoTime may
  private final CircuitBreaker breaker = new CircuitBreaker(now::get);

  private void fail(int times) {
    IntStream.range(0, times).forEach(it -> breaker.acquire().end(Verdict.FAILED));
  }

  private void waitUntilItMayClose() {
    now.addAndGet(CircuitBreaker.OPEN_TIME.toNanos());
  }

  @Test
  void opensAfterFiveFailuresInTenAttempts() {
    fail(4);
    IntStream.range(0, 6).forEach(it -> breaker.acquire().end(Verdict.WORKED));
    fail(1);
    assertThat(breaker.open()).as("the first failure is eleven attempts ago").isFalse();

    fail(1);
    assertThat(breaker.open()).isFalse();
    fail(3);
    assertThat(breaker.open()).isTrue();
    assertThat(breaker.tryAcquire()).isEmpty();
  }

  @Test
  void ignoresAbortedAttempts() {
    fail(4);
    IntStream.range(0, 10).forEach(it -> breaker.acquire().end(Verdict.NONE));
    assertThat(breaker.open()).isFalse();

    fail(1);
    assertThat(breaker.open()).isTrue();
  }

  @Test
  void letsOneTrialThroughAfterTenSeconds() {
    fail(5);
    waitUntilItMayClose();

    long through = IntStream.range(0, 50).filter(it -> breaker.tryAcquire().isPresent()).count();

    assertThat(through).isEqualTo(1);
    assertThat(breaker.open()).as("open for other attempts").isTrue();
  }

  @Test
  void opensOrClosesAfterTheTrial() {
    fail(5);
    waitUntilItMayClose();
    breaker.tryAcquire().orElseThrow().end(Verdict.FAILED);
    assertThat(breaker.open()).isTrue();

    waitUntilItMayClose();
    assertThat(breaker.open()).isFalse();
    breaker.tryAcquire().orElseThrow().end(Verdict.WORKED);
    assertThat(breaker.open()).isFalse();
    fail(4);
    assertThat(breaker.open()).as("earlier failures are forgotten").isFalse();
  }

  @Test
  void closesAsSoonAsTheTrialBeginsToAnswer() {
    fail(5);
    waitUntilItMayClose();
    Permit trial = breaker.tryAcquire().orElseThrow();
    assertThat(breaker.tryAcquire()).isEmpty();

    trial.began();

    assertThat(breaker.tryAcquire()).isPresent();
    trial.end(Verdict.FAILED);
    assertThat(breaker.open()).as("after a single failure").isFalse();
  }

  @Test
  void letsAnotherTrialThroughAfterAnAbortedOne() {
    fail(5);
    waitUntilItMayClose();
    Optional<Permit> trial = breaker.tryAcquire();
    assertThat(breaker.tryAcquire()).isEmpty();

    trial.orElseThrow().end(Verdict.NONE);

    assertThat(breaker.tryAcquire()).isPresent();
    assertThat(breaker.tryAcquire()).isEmpty();
  }

  @Test
  void isNotClosedByAnAttemptThatBeganBeforeItOpened() {
    Permit early = breaker.tryAcquire().orElseThrow();
    fail(5);

    early.end(Verdict.WORKED);
    assertThat(breaker.open()).isTrue();

    breaker.acquire().end(Verdict.WORKED);
    assertThat(breaker.open()).as("the target answers again").isFalse();
  }
}
