package dev.jarvis.chaos;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.ProcessBuilder.Redirect;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** A process that a test starts, signals and ends. Its output goes to a file. */
final class ServerProcess implements AutoCloseable {
  private static final int END_LIMIT_SECONDS = 20;

  private final Process process;

  private ServerProcess(Process process) {
    this.process = process;
    Runtime.getRuntime().addShutdownHook(new Thread(process::destroyForcibly));
  }

  /**
   * @param environment added to that of the test, without the variables of JARVIS and its telemetry
   */
  static ServerProcess start(List<String> command, Map<String, String> environment, Path log)
      throws IOException {
    ProcessBuilder builder =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(Redirect.appendTo(log.toFile()));
    builder
        .environment()
        .keySet()
        .removeIf(it -> it.startsWith("JARVIS_") || it.startsWith("OTEL_"));
    builder.environment().putAll(environment);
    return new ServerProcess(builder.start());
  }

  long pid() {
    return process.pid();
  }

  boolean alive() {
    return process.isAlive();
  }

  /** Sends a signal to the process and its children. */
  void signal(String name) {
    List<String> command =
        Stream.of(
                Stream.of("kill", "-" + name),
                process.descendants().map(it -> Long.toString(it.pid())),
                Stream.of(Long.toString(process.pid())))
            .flatMap(it -> it)
            .toList();
    run(command);
  }

  /** Sends a signal to the process, and waits for its end. */
  void end(String signal) {
    run(List.of("kill", "-" + signal, Long.toString(process.pid())));
    awaitEnd();
  }

  private static void run(List<String> command) {
    try {
      new ProcessBuilder(command).redirectError(Redirect.DISCARD).start().waitFor();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void awaitEnd() {
    try {
      if (!process.waitFor(END_LIMIT_SECONDS, TimeUnit.SECONDS)) {
        throw new AssertionError("the process has not ended: " + process.info().commandLine());
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Kills the process and its children. */
  @Override
  public void close() {
    if (process.isAlive()) {
      signal("KILL");
      awaitEnd();
    }
  }

  static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }
}
