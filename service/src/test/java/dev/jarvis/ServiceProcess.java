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
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** The service as a separate process. Its stdout is a pipe that is not read after the start. */
final class ServiceProcess implements AutoCloseable {
  private static final Pattern PORT = Pattern.compile("http://127\\.0\\.0\\.1:(\\d+)");
  private static final Duration REQUEST_LIMIT = Duration.ofSeconds(20);
  private static final int END_LIMIT_SECONDS = 60;

  private final Process process;
  private final Path errors;
  private final HttpClient client =
      HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

  private final Path home;
  private @Nullable URI uri;

  private ServiceProcess(Process process, Path errors, Path home) {
    this.process = process;
    this.errors = errors;
    this.home = home;
  }

  /**
   * Starts a service with embedded stores on a free port.
   *
   * @param folder for its home and its stderr
   * @param javaOptions options of the JVM; a class path overrides the test's
   * @param settings environment variables, which override the defaults of tests
   */
  static ServiceProcess start(Path folder, List<String> javaOptions, Map<String, String> settings)
      throws IOException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("-cp", System.getProperty("java.class.path")));
    command.addAll(javaOptions); // the last -cp takes effect
    command.add(Main.class.getName());
    Path errors = folder.resolve("stderr");
    Path home = folder.resolve("home").toAbsolutePath();
    ProcessBuilder builder =
        new ProcessBuilder(command)
            .redirectOutput(Redirect.PIPE)
            .redirectError(Redirect.appendTo(errors.toFile()));
    Map<String, String> environment = builder.environment();
    environment.keySet().removeIf(it -> it.startsWith("JARVIS_") || it.startsWith("OTEL_"));
    if (!settings.containsKey("OTEL_EXPORTER_OTLP_ENDPOINT")) {
      for (String signal : List.of("TRACES", "METRICS", "LOGS")) {
        environment.put("OTEL_" + signal + "_EXPORTER", "none");
      }
    }
    environment.put("JARVIS_HOME", home.toString());
    environment.put("JARVIS_SERVER_PORT", "0");
    environment.put("JARVIS_API_KEY", TestService.KEY);
    environment.putAll(settings);
    return new ServiceProcess(builder.start(), errors, home);
  }

  /** Reads stdout until the service listens. */
  void awaitReady() throws IOException {
    BufferedReader stdout = process.inputReader();
    for (String line = stdout.readLine(); line != null; line = stdout.readLine()) {
      Matcher matcher = PORT.matcher(line);
      if (line.contains("\"ready\"") && matcher.find()) {
        uri = URI.create(matcher.group());
        return;
      }
    }
    throw new AssertionError("the service ended: " + errors());
  }

  URI uri() {
    return Objects.requireNonNull(uri, "awaitReady() first");
  }

  /** Reads the rest of stdout, which ends with the process. */
  String output() throws IOException {
    return process.inputReader().readAllAsString();
  }

  HttpResponse<String> get(String path) throws IOException, InterruptedException {
    return send(HttpRequest.newBuilder(uri().resolve(path)));
  }

  HttpResponse<String> chat(String body) throws IOException, InterruptedException {
    return send(
        HttpRequest.newBuilder(uri().resolve("/v1/chat/completions"))
            .POST(HttpRequest.BodyPublishers.ofString(body)));
  }

  private HttpResponse<String> send(HttpRequest.Builder request)
      throws IOException, InterruptedException {
    return client.send(
        request.timeout(REQUEST_LIMIT).header("Authorization", "Bearer " + TestService.KEY).build(),
        HttpResponse.BodyHandlers.ofString());
  }

  /** Sends SIGTERM, and leaves stdout open, which {@link Process#destroy} would close. */
  void terminate() {
    process.toHandle().destroy();
  }

  /** Waits for the end of the process and returns its exit code. */
  int exitCode() throws InterruptedException {
    assertThat(process.waitFor(END_LIMIT_SECONDS, TimeUnit.SECONDS))
        .as("the process ended")
        .isTrue();
    return process.exitValue();
  }

  /** Returns what the process wrote to stderr. */
  String errors() throws IOException {
    return Files.readString(errors);
  }

  /**
   * Returns the running embedded servers, which survive if the process is killed. Each has a path
   * inside the home among its arguments; Redis is not a child process.
   */
  List<ProcessHandle> servers() {
    return ProcessHandle.allProcesses()
        .filter(it -> it.info().commandLine().orElse("").contains(home + File.separator))
        .toList();
  }

  /** Ends the process and its embedded servers. */
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
