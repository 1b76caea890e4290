package dev.jarvis.e2e;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * The native stack that {@code make e2e} has started, and queries to its parts. The script {@code
 * stack/native/stack} starts and stops parts; JARVIS_STACK_HOME is the folder of the stack.
 */
final class Stack {
  static final String MODEL = "smollm2:135m";

  private static final ObjectMapper MAPPER = new ObjectMapper();
  private static final HttpClient CLIENT =
      HttpClient.newBuilder()
          .version(HttpClient.Version.HTTP_1_1)
          .connectTimeout(Duration.ofSeconds(2))
          .build();
  private static final Path SCRIPT = Path.of("..", "stack", "native", "stack");

  private Stack() {}

  static Path home() {
    String home = System.getenv("JARVIS_STACK_HOME");
    if (home == null) {
      throw new AssertionError("run these tests with `make e2e`, which starts the stack");
    }
    return Path.of(home);
  }

  static String key() {
    return System.getenv("JARVIS_E2E_API_KEY");
  }

  /** Passwords and keys of the stack, named as the variables of compose.yaml. */
  static JsonNode secrets() throws IOException {
    return MAPPER.readTree(Files.readString(home().resolve("secrets.json")));
  }

  /** Runs a command of the stack's script and returns what it printed. */
  static String script(String... arguments) {
    List<String> command = new ArrayList<>(List.of(SCRIPT.toString()));
    command.addAll(Arrays.asList(arguments));
    try {
      Process process =
          new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
      String output =
          new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
      if (!process.waitFor(120, TimeUnit.SECONDS) || process.exitValue() != 0) {
        throw new AssertionError(String.join(" ", command) + ": " + output);
      }
      return output;
    } catch (IOException e) {
      throw new AssertionError(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new AssertionError(e);
    }
  }

  /** Sends a signal to a part and its child processes. */
  static void signal(String part, String signal) throws IOException, InterruptedException {
    long pid = Long.parseLong(script("pid", part));
    ProcessHandle process = ProcessHandle.of(pid).orElseThrow();
    List<String> command = new ArrayList<>(List.of("kill", "-" + signal));
    Stream.concat(Stream.of(process), process.descendants())
        .forEach(it -> command.add(Long.toString(it.pid())));
    new ProcessBuilder(command).inheritIO().start().waitFor();
  }

  static HttpRequest.Builder api(String path) {
    return HttpRequest.newBuilder(URI.create("http://127.0.0.1:8000" + path))
        .timeout(Duration.ofSeconds(60))
        .header("Authorization", "Bearer " + key())
        .header("Content-Type", "application/json");
  }

  static HttpResponse<String> chat(String prompt, boolean stream, String... headers) {
    String body =
        MAPPER
            .createObjectNode()
            .put("model", MODEL)
            .put("max_tokens", 8)
            .put("seed", 1)
            .put("temperature", 0)
            .put("user", "end-user-of-e2e")
            .put("stream", stream)
            .set("messages", MAPPER.createArrayNode().add(message(prompt)))
            .toString();
    HttpRequest.Builder request =
        api("/v1/chat/completions").POST(HttpRequest.BodyPublishers.ofString(body));
    if (headers.length > 0) {
      request.headers(headers);
    }
    return send(request.build());
  }

  /** Returns the text of an answer that was not streamed. */
  static String answer(HttpResponse<String> response) {
    return json(response.body()).at("/choices/0/message/content").asText();
  }

  static JsonNode json(String text) {
    try {
      return MAPPER.readTree(text);
    } catch (IOException e) {
      throw new AssertionError(text, e);
    }
  }

  /** Returns the sum of the series in /metrics whose lines start with a prefix, 0 without any. */
  static double metric(String prefix) {
    return get("http://127.0.0.1:8000/metrics")
        .body()
        .lines()
        .filter(it -> it.startsWith(prefix))
        .mapToDouble(it -> Double.parseDouble(it.substring(it.lastIndexOf(' ') + 1)))
        .sum();
  }

  private static JsonNode message(String prompt) {
    return MAPPER.createObjectNode().put("role", "user").put("content", prompt);
  }

  static HttpResponse<String> send(HttpRequest request) {
    try {
      return CLIENT.send(request, BodyHandlers.ofString());
    } catch (IOException e) {
      throw new AssertionError(request.uri() + ": " + e, e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new AssertionError(e);
    }
  }

  static HttpResponse<String> get(String uri) {
    return send(HttpRequest.newBuilder(URI.create(uri)).timeout(Duration.ofSeconds(10)).build());
  }

  private static JsonNode getJson(String uri) {
    HttpResponse<String> response = get(uri);
    if (response.statusCode() != 200) {
      throw new AssertionError(uri + ": " + response.statusCode() + " " + response.body());
    }
    return json(response.body());
  }

  /** The series of an instant query. */
  static List<JsonNode> prometheus(String query) {
    JsonNode result = getJson("http://127.0.0.1:9090/api/v1/query?query=" + encode(query));
    return list(result.path("data").path("result"));
  }

  /** The series of a query over the last five minutes, as a graph shows them. */
  static List<JsonNode> prometheusRange(String query) {
    long now = Instant.now().getEpochSecond();
    JsonNode result =
        getJson(
            "http://127.0.0.1:9090/api/v1/query_range?query=%s&start=%d&end=%d&step=2"
                .formatted(encode(query), now - 300, now));
    return list(result.path("data").path("result"));
  }

  /** The exemplars of a selector in the last ten minutes. */
  static List<JsonNode> exemplars(String query) {
    long now = Instant.now().getEpochSecond();
    JsonNode result =
        getJson(
            "http://127.0.0.1:9090/api/v1/query_exemplars?query=%s&start=%d&end=%d"
                .formatted(encode(query), now - 600, now + 60));
    List<JsonNode> all = new ArrayList<>();
    result.path("data").forEach(series -> series.path("exemplars").forEach(all::add));
    return all;
  }

  /** The lines of a LogQL query over the last 30 minutes: {@code {time, text, fields}}. */
  static List<JsonNode> logs(String query) {
    return list(json(script("logs", "--json", query, "30m")));
  }

  /** The spans of a trace; empty while Jaeger does not have it. */
  static List<JsonNode> jaeger(String traceId) {
    HttpResponse<String> response = get("http://127.0.0.1:16686/api/traces/" + traceId);
    if (response.statusCode() != 200) {
      return List.of();
    }
    return list(
        getJson("http://127.0.0.1:16686/api/traces/" + traceId).path("data").path(0).path("spans"));
  }

  /** The traces of the service with a span of this name, by the query that Grafana sends. */
  static List<JsonNode> jaegerSearch(String operation) {
    return list(
        getJson(
                "http://127.0.0.1:16686/api/traces?service=jarvis-api&limit=5&lookback=1h&operation="
                    + encode(operation))
            .path("data"));
  }

  /** The active alerts with this name. */
  static List<JsonNode> alertmanager(String alert) {
    return list(
        getJson("http://127.0.0.1:9093/api/v2/alerts?filter=" + encode("alertname=" + alert)));
  }

  /** The value of a series, the last one of a range. */
  static double value(JsonNode series) {
    JsonNode values = series.path("values");
    JsonNode last = values.isMissingNode() ? series.path("value") : values.path(values.size() - 1);
    return Double.parseDouble(last.path(1).asText());
  }

  private static List<JsonNode> list(JsonNode array) {
    List<JsonNode> all = new ArrayList<>();
    array.forEach(all::add);
    return all;
  }

  private static String encode(String text) {
    return URLEncoder.encode(text, StandardCharsets.UTF_8);
  }
}
