package dev.jarvis.document.extract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.awaitility.Awaitility.await;

import dev.jarvis.document.sandbox.Layer;
import dev.jarvis.document.sandbox.SandboxMain;
import java.util.EnumSet;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Trials of the sandbox that fail: no file is read without it because of one. */
@Timeout(60)
class SandboxTrialTest {
  private static final Set<Layer> ALL = EnumSet.allOf(Layer.class);

  private final AtomicLong now = new AtomicLong();
  private int trials;

  private ReaderSandbox sandbox(SandboxMode mode) {
    return new ReaderSandbox(mode, SandboxMain.class, true, now::get);
  }

  private Set<Layer> fail() throws ReaderUnavailableException {
    trials++;
    throw new ReaderUnavailableException("killed");
  }

  private void assertRefused(ReaderSandbox sandbox, String code) {
    assertThatExceptionOfType(ReaderUnavailableException.class)
        .isThrownBy(() -> sandbox.check(this::fail))
        .satisfies(e -> assertThat(e.code()).isEqualTo(code));
  }

  private void pause() {
    now.addAndGet(ReaderSandbox.PAUSE.toNanos());
  }

  @Test
  void aTrialThatFailedIsRepeatedAfterAPause() throws Exception {
    ReaderSandbox sandbox = sandbox(SandboxMode.AUTO);
    assertRefused(sandbox, "reader_unavailable");
    assertRefused(sandbox, "reader_unavailable");
    assertThat(trials).isEqualTo(1);
    assertThat(sandbox.layers()).isEmpty();

    pause();
    assertThat(sandbox.check(() -> ALL)).isTrue();
    assertThat(sandbox.check(this::fail)).as("it is known").isTrue();
    assertThat(sandbox.layers().values()).containsOnly(1L);
  }

  @Test
  void afterSeveralFailuresFilesAreReadWithoutTheSandbox() throws Exception {
    ReaderSandbox sandbox = sandbox(SandboxMode.AUTO);
    for (int i = 1; i < ReaderSandbox.MAX_FAILURES; i++) {
      assertRefused(sandbox, "reader_unavailable");
      pause();
    }
    for (int i = 0; i < 3; i++) {
      assertThat(sandbox.check(this::fail)).isFalse();
      pause();
    }
    assertThat(trials).isEqualTo(ReaderSandbox.MAX_FAILURES);
    assertThat(sandbox.layers().values()).containsOnly(0L);
  }

  @Test
  void aRequiredSandboxIsTriedForEver() throws Exception {
    ReaderSandbox sandbox = sandbox(SandboxMode.REQUIRED);
    for (int i = 1; i < ReaderSandbox.MAX_FAILURES; i++) {
      assertRefused(sandbox, "reader_unavailable");
      pause();
    }
    for (int i = 0; i < 3; i++) {
      assertRefused(sandbox, "sandbox_unavailable");
      assertRefused(sandbox, "sandbox_unavailable");
      pause();
    }
    assertThat(trials).isEqualTo(ReaderSandbox.MAX_FAILURES + 2);
    assertThat(sandbox.check(() -> ALL)).isTrue();
  }

  @Test
  void whoWaitsForATrialCanBeInterrupted() throws Exception {
    ReaderSandbox sandbox = sandbox(SandboxMode.AUTO);
    CountDownLatch end = new CountDownLatch(1);
    CountDownLatch begun = new CountDownLatch(1);
    Thread trial =
        Thread.ofPlatform()
            .start(
                () -> {
                  try {
                    sandbox.check(
                        () -> {
                          begun.countDown();
                          end.await();
                          return ALL;
                        });
                  } catch (ReaderUnavailableException | InterruptedException e) {
                    throw new IllegalStateException(e);
                  }
                });
    begun.await();
    AtomicReference<Exception> thrown = new AtomicReference<>();
    Thread other =
        Thread.ofPlatform()
            .start(
                () -> {
                  try {
                    sandbox.check(this::fail);
                  } catch (ReaderUnavailableException | InterruptedException e) {
                    thrown.set(e);
                  }
                });
    await().until(() -> other.getState() == Thread.State.WAITING);
    other.interrupt();
    other.join();
    assertThat(thrown.get()).isInstanceOf(InterruptedException.class);
    end.countDown();
    trial.join();
  }
}
