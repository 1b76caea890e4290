package dev.jarvis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The service as a process of its own, whose stdout is a pipe that nobody reads after its start.
 */
final class ServiceProcess implements AutoCloseable {
  static final String KEY = "sk-test-key-of-admin";

  private static final Pattern PORT = Pattern.compile("http://127\\.0\\.0\\.1:(\\d+)");
  private static final Duration REQUEST_LIMIT = Duration.ofSeconds(20);
  private static final int END_LIMIT_SECONDS = 60;

  private final Process process;
  private final Path errors;
  private final HttpClient client =
      HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

  private final Path home;

  private ServiceProcess(Process process, Path errors, Path home) {
    this.process = process;
    this.errors = errors;
    this.home = home;
  }

  /**
   * Starts one with embedded stores on a free port.
   *
   * @param folder its home and what it writes to stderr
   * @param javaOptions options of the JVM; its class path is the test's unless they name another
   */
  static ServiceProcess start(Path folder, List<String> javaOptions, Map<String, String> settings)
      throws IOException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("-cp", System.getProperty("java.class.path")));
    command.addAll(javaOptions); // the last -cp wins
    command.add(Main.class.getName());
    Path errors = folder.resolve("stderr");
    Path home = folder.resolve("home").toAbsolutePath();
    ProcessBuilder builder =
        new ProcessBuilder(command)
            .redirectOutput(Redirect.PIPE)
            .redirectError(Redirect.appendTo(errors.toFile()));
    Map<String, String> environment = builder.environment();
    environment.keySet().removeIf(it -> it.startsWith("JARVIS_") || it.startsWith("OTEL_"));
    for (String signal : List.of("TRACES", "METRICS", "LOGS")) {
      environment.put("OTEL_" + signal + "_EXPORTER", "none");
    }
    environment.put("JARVIS_HOME", home.toString());
    environment.put("JARVIS_SERVER_PORT", "0");
    environment.put("JARVIS_API_KEY", KEY);
    environment.putAll(settings);
    return new ServiceProcess(builder.start(), errors, home);
  }

  /** Reads stdout until the service listens, and never again. Returns its address. */
  URI awaitReady() throws IOException {
    BufferedReader stdout = process.inputReader();
    for (String line = stdout.readLine(); line != null; line = stdout.readLine()) {
      Matcher matcher = PORT.matcher(line);
      if (line.contains("\"ready\"") && matcher.find()) {
        return URI.create(matcher.group());
      }
    }
    throw new AssertionError("the service ended: " + errors());
  }

  /** Reads stdout to its end, which is the end of the process. */
  String output() throws IOException {
    return process.inputReader().readAllAsString();
  }

  HttpResponse<String> send(HttpRequest.Builder request) throws IOException, InterruptedException {
    return client.send(
        request.timeout(REQUEST_LIMIT).header("Authorization", "Bearer " + KEY).build(),
        HttpResponse.BodyHandlers.ofString());
  }

  /** Sends SIGTERM. */
  void terminate() {
    process.destroy();
  }

  /** Waits for the end of the process and returns its exit code. */
  int exitCode() throws InterruptedException {
    assertThat(process.waitFor(END_LIMIT_SECONDS, TimeUnit.SECONDS)).as("it ended").isTrue();
    return process.exitValue();
  }

  private String errors() throws IOException {
    return Files.readString(errors);
  }

  /**
   * The embedded servers, which a process that is halted leaves behind: Redis is no child of it,
   * but each has a path inside the home among its arguments.
   */
  List<ProcessHandle> servers() {
    return ProcessHandle.allProcesses()
        .filter(it -> it.info().commandLine().orElse("").contains(home + File.separator))
        .toList();
  }

  /** Ends it and its embedded servers, of which none remains. */
  @Override
  public void close() throws InterruptedException {
    process.destroy();
    if (!process.waitFor(20, TimeUnit.SECONDS)) {
      process.destroyForcibly();
    }
    client.shutdownNow();
    servers().forEach(ProcessHandle::destroy);
    await()
        .atMost(Duration.ofSeconds(20))
        .untilAsserted(() -> assertThat(servers()).as("servers left behind").isEmpty());
  }
}
