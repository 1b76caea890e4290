package dev.jarvis.chaos;

import static org.awaitility.Awaitility.await;

import dev.jarvis.ChaosMain;
import dev.jarvis.Programs;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** A replica of the service as a process of its own, with a home that outlives it. */
final class Replica implements AutoCloseable {
  private static final Duration LIMIT = Duration.ofSeconds(90);

  private final Path folder;
  private final Gate gate;
  private final Map<String, String> settings;
  private ServerProcess process;

  /**
   * @param folder for its home and its log
   */
  Replica(Path folder, Gate gate, Map<String, String> settings) throws IOException {
    this.folder = Files.createDirectories(folder);
    this.gate = gate;
    this.settings = settings;
  }

  Path home() {
    return folder.resolve("home");
  }

  Path spool() {
    return home().resolve("spool");
  }

  /** Starts the process; {@link #awaitReady} waits for it. */
  void start() throws IOException {
    start(List.of(), Map.of());
  }

  /**
   * @param prefix a program that runs the command that follows
   * @param more settings for this start only
   */
  void start(List<String> prefix, Map<String, String> more) throws IOException {
    List<String> command = new ArrayList<>(prefix);
    command.addAll(Programs.java(ChaosMain.class, Integer.toString(gate.port())));
    Map<String, String> environment = new HashMap<>(settings);
    environment.put("JARVIS_HOME", home().toString());
    environment.put("JARVIS_SERVER_PORT", "0");
    for (String signal : List.of("TRACES", "METRICS", "LOGS")) {
      environment.put("OTEL_" + signal + "_EXPORTER", "none");
    }
    environment.putAll(more);
    process = ServerProcess.start(command, environment, folder.resolve("log"));
  }

  void awaitReady() {
    await()
        .atMost(LIMIT)
        .until(
            () -> {
              if (!process.alive()) {
                throw new AssertionError("the replica has ended: " + log());
              }
              return gate.port(process.pid()) > 0;
            });
  }

  URI uri(String path) {
    return URI.create("http://127.0.0.1:%d%s".formatted(gate.port(process.pid()), path));
  }

  ServerProcess process() {
    return process;
  }

  String log() throws IOException {
    return Files.readString(folder.resolve("log"));
  }

  @Override
  public void close() {
    if (process != null) {
      process.close();
    }
  }
}
