package dev.jarvis.concurrent;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class CancellationTest {
  private final Cancellation scope = new Cancellation();
  private final List<String> ran = new ArrayList<>();

  @Test
  void runsEveryActionOnceEvenIfOneFails() {
    scope.onCancel(() -> ran.add("first"));
    scope.onCancel(
        () -> {
          throw new IllegalStateException("a faulty action");
        });
    scope.onCancel(() -> ran.add("last"));
    scope.cancel();
    scope.cancel();
    assertThat(ran).containsExactly("first", "last");
    assertThat(scope.cancelled()).isTrue();
    assertThat(scope.await(Duration.ofDays(1))).isTrue();
  }

  @Test
  void doesNotRunAClosedRegistration() {
    try (Cancellation.Registration over = scope.onCancel(() -> ran.add("over"))) {
      assertThat(over).isNotNull();
    }
    scope.cancel();
    assertThat(ran).isEmpty();
  }

  @Test
  void runsAnActionAtOnceIfItIsCancelledAlready() {
    scope.cancel();
    scope.onCancel(() -> ran.add("late"));
    assertThat(ran).containsExactly("late");
  }

  @Test
  void isTheCurrentScopeOfItsThread() {
    scope.run(() -> assertThat(Cancellation.current()).isSameAs(scope));
    assertThat(Cancellation.current().cancelled()).isFalse();
  }
}
