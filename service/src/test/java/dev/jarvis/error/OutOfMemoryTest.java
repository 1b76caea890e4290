package dev.jarvis.error;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class OutOfMemoryTest {
  @Test
  void endsTheProcessForAnErrorOrItsWrapper() {
    OutOfMemoryError error = new OutOfMemoryError("Java heap space");

    assertThat(ends(error)).isOne();
    assertThat(ends(new ExecutionException(new CompletionException(error)))).isOne();
    assertThat(ends(new ApiException.Internal(new IOException(error)))).isOne();
  }

  @Test
  void ignoresOtherFailures() {
    assertThat(ends(new StackOverflowError())).isZero();
    assertThat(ends(new IllegalStateException(new IOException("no memory")))).isZero();
    Exception first = new Exception();
    Exception second = new Exception(first);
    first.initCause(second);
    assertThat(ends(first)).as("circular causes").isZero();
  }

  private static int ends(Throwable failure) {
    AtomicInteger ends = new AtomicInteger();
    OutOfMemory.endProcessIf(failure, ends::incrementAndGet);
    return ends.get();
  }
}
