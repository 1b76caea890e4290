package dev.jarvis.error;

import org.jspecify.annotations.Nullable;

/**
 * Ends the process after an {@link OutOfMemoryError}, because any thread may have failed to
 * allocate memory, so that the state is unreliable; an orchestrator starts a new process. The JVM
 * does the same with {@code -XX:+ExitOnOutOfMemoryError}.
 */
public final class OutOfMemory {
  /** The JVM's exit code with {@code -XX:+ExitOnOutOfMemoryError}. */
  private static final int EXIT_CODE = 3;

  private static final int MAX_CAUSES = 20;

  private OutOfMemory() {}

  /**
   * Ends the process if a failure is an {@link OutOfMemoryError} or was caused by one. Must be
   * called by code that catches every failure and continues.
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
