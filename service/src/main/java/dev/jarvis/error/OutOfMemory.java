package dev.jarvis.error;

import org.jspecify.annotations.Nullable;

/**
 * What to do about an {@link OutOfMemoryError}. Any thread may have missed an allocation, so
 * nothing can be relied on any more; an orchestrator starts another process. The JVM does the same
 * where -XX:+ExitOnOutOfMemoryError is given.
 */
public final class OutOfMemory {
  /** The JVM's own exit code for it. */
  private static final int EXIT_CODE = 3;

  private static final int MAX_CAUSES = 20;

  private OutOfMemory() {}

  /**
   * Ends the process if a failure is an {@link OutOfMemoryError} or was caused by one. For whatever
   * catches every failure and goes on.
   */
  public static void endProcessIf(Throwable failure) {
    endProcessIf(failure, () -> Runtime.getRuntime().halt(EXIT_CODE));
  }

  static void endProcessIf(Throwable failure, Runnable end) {
    @Nullable Throwable cause = failure;
    for (int i = 0; i < MAX_CAUSES && cause != null; i++) {
      if (cause instanceof OutOfMemoryError) {
        end.run();
        return;
      }
      cause = cause.getCause();
    }
  }
}
