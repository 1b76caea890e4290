package dev.jarvis;

import java.util.concurrent.ConcurrentLinkedDeque;

/** Resources that all tests of this JVM share, closed in reverse order when the JVM ends. */
public final class SharedUntilExit {
  private static final ConcurrentLinkedDeque<AutoCloseable> PARTS = new ConcurrentLinkedDeque<>();

  static {
    Runtime.getRuntime().addShutdownHook(new Thread(SharedUntilExit::close));
  }

  private SharedUntilExit() {}

  public static <T extends AutoCloseable> T add(T part) {
    PARTS.push(part);
    return part;
  }

  private static void close() {
    for (AutoCloseable part : PARTS) {
      try {
        part.close();
      } catch (Exception e) {
        System.err.println("a shared resource was not closed: " + e);
      }
    }
  }
}
