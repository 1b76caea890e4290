package dev.jarvis.routing;

import static org.assertj.core.api.Assertions.assertThat;

import dev.jarvis.routing.CircuitBreaker.Attempt;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class CircuitBreakerTest {
  private final AtomicLong now = new AtomicLong(Long.MAX_VALUE - 1); // overflows, as nanoTime may
  private final CircuitBreaker breaker = new CircuitBreaker(now::get);

  private void fail(int times) {
    IntStream.range(0, times).forEach(it -> breaker.lastResort().failed());
  }

  private void pause() {
    now.addAndGet(CircuitBreaker.PAUSE.toNanos());
  }

  @Test
  void fiveFailuresOfTheLastTenAttemptsOpenIt() {
    fail(4);
    IntStream.range(0, 6).forEach(it -> breaker.lastResort().succeeded());
    fail(1);
    assertThat(breaker.open()).as("the first failure is eleven attempts ago").isFalse();

    fail(1);
    assertThat(breaker.open()).isFalse();
    fail(3);
    assertThat(breaker.open()).isTrue();
    assertThat(breaker.attempt()).isEmpty();
  }

  @Test
  void anAbortedAttemptIsNeitherASuccessNorAFailure() {
    fail(4);
    IntStream.range(0, 10).forEach(it -> breaker.lastResort().aborted());
    assertThat(breaker.open()).isFalse();

    fail(1);
    assertThat(breaker.open()).isTrue();
  }

  @Test
  void afterThePauseOneAttemptIsLetThrough() {
    fail(5);
    pause();

    long through = IntStream.range(0, 50).filter(it -> breaker.attempt().isPresent()).count();

    assertThat(through).isEqualTo(1);
    assertThat(breaker.open()).as("for all others").isTrue();
  }

  @Test
  void theTrialDecides() {
    fail(5);
    pause();
    breaker.attempt().orElseThrow().failed();
    assertThat(breaker.open()).isTrue();

    pause();
    assertThat(breaker.open()).isFalse();
    breaker.attempt().orElseThrow().succeeded();
    assertThat(breaker.open()).isFalse();
    fail(4);
    assertThat(breaker.open()).as("it begins anew").isFalse();
  }

  @Test
  void aTrialThatHasBegunToAnswerKeepsNobodyWaitingForItsEnd() {
    fail(5);
    pause();
    Attempt trial = breaker.attempt().orElseThrow();
    assertThat(breaker.attempt()).isEmpty();

    trial.began();

    assertThat(breaker.attempt()).isPresent();
    trial.failed();
    assertThat(breaker.open()).as("one failure of ten").isFalse();
  }

  @Test
  void anAbortedTrialLetsTheNextAttemptThrough() {
    fail(5);
    pause();
    Optional<Attempt> trial = breaker.attempt();
    assertThat(breaker.attempt()).isEmpty();

    trial.orElseThrow().aborted();

    assertThat(breaker.attempt()).isPresent();
    assertThat(breaker.attempt()).isEmpty();
  }

  @Test
  void anAttemptFromBeforeItOpenedDoesNotCloseIt() {
    Attempt early = breaker.attempt().orElseThrow();
    fail(5);

    early.succeeded();
    assertThat(breaker.open()).isTrue();

    breaker.lastResort().succeeded();
    assertThat(breaker.open()).as("the target answers again").isFalse();
  }
}
