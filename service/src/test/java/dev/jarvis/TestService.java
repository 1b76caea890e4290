package dev.jarvis;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.jarvis.http.Routes;
import dev.jarvis.provider.ollama.FakeOllama;
import dev.jarvis.storage.embedded.TestDatabase;
import dev.jarvis.storage.embedded.TestRedis;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.sql.SQLException;
import java.time.Duration;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.Map;

/**
 * The whole service as {@link Main} starts it, on a free port, with separate databases in the
 * PostgreSQL and Redis that all tests share, files in a temporary folder, and a scripted Ollama.
 */
public final class TestService implements AutoCloseable {
  public static final String KEY = "sk-test-key-of-admin-0123456789abcdef";

  private static final ObjectMapper MAPPER = new ObjectMapper();
  private static final HttpClient CLIENT =
      HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

  private final TestDatabase database;
  private final TestRedis redis;
  private final FakeOllama ollama;
  private final boolean replica;
  private final Path home = TestFolders.create();
  private final Jarvis jarvis = new Jarvis();

  private TestService(TestDatabase database, TestRedis redis, FakeOllama ollama, boolean replica)
      throws IOException {
    this.database = database;
    this.redis = redis;
    this.ollama = ollama;
    this.replica = replica;
  }

  /** Starts a service; settings are JARVIS_ variables and override the defaults of tests. */
  public static TestService start(Map<String, String> settings) throws Exception {
    return new TestService(TestDatabase.create(), TestRedis.take(), FakeOllama.start(), false)
        .started(settings);
  }

  /** Starts another replica on the same databases and Ollama; to be closed before this. */
  public TestService replica(Map<String, String> settings) throws Exception {
    return new TestService(database, redis, ollama, true).started(settings);
  }

  private TestService started(Map<String, String> settings) throws Exception {
    Map<String, String> environment = new HashMap<>();
    environment.putAll(database.environment());
    environment.putAll(redis.environment());
    environment.put("JARVIS_HOME", home.toString());
    environment.put("JARVIS_SERVER_PORT", "0");
    environment.put("JARVIS_API_KEY", KEY);
    // all tests have one address
    environment.put("JARVIS_IDENTITY_MAX_FAILURES_PER_MINUTE", "1000");
    environment.put("JARVIS_OLLAMA_URL", ollama.uri().toString());
    environment.putAll(settings);
    try {
      jarvis.start(JarvisConfig.load(environment));
    } catch (Exception e) {
      close();
      throw e;
    }
    return this;
  }

  /**
   * Starts a service with a configuration file.
   *
   * @param yaml as in {@code application.yaml}
   */
  public static TestService startWith(String yaml) throws Exception {
    Path file = Files.createTempFile("jarvis-test", ".yaml");
    try {
      Files.writeString(file, yaml);
      return start(Map.of("JARVIS_CONFIG", file.toString()));
    } finally {
      Files.delete(file);
    }
  }

  /** Waits until a provider has listed a model. */
  public TestService awaitModel(String model) {
    await().atMost(Duration.ofSeconds(20)).until(() -> get("/v1/models").body().contains(model));
    return this;
  }

  /** Returns the service shared by tests that do not change its state; lives until the JVM ends. */
  public static TestService shared() {
    return Shared.SERVICE;
  }

  /** The database, for what no endpoint does. */
  public TestDatabase database() {
    return database;
  }

  public FakeOllama ollama() {
    return ollama;
  }

  /** The routes that it serves. */
  public Routes routes() {
    return jarvis.routes();
  }

  public int port() {
    return jarvis.port();
  }

  public URI uri(String path) {
    return URI.create("http://127.0.0.1:" + port() + path);
  }

  public HttpResponse<String> get(String path, String... headers) {
    return send(request(path, headers).GET().build());
  }

  public HttpResponse<String> post(String path, String body, String... headers) {
    return send(request(path, headers).POST(HttpRequest.BodyPublishers.ofString(body)).build());
  }

  public HttpResponse<String> chat(String body, String... headers) {
    return post("/v1/chat/completions", body, headers);
  }

  /** Starts a request with the admin's key; headers alternate names and values and override it. */
  public HttpRequest.Builder request(String path, String... headers) {
    HttpRequest.Builder builder =
        HttpRequest.newBuilder(uri(path))
            .timeout(Duration.ofSeconds(30))
            .header("Content-Type", "application/json")
            .setHeader("Authorization", "Bearer " + KEY);
    for (int i = 0; i < headers.length; i += 2) {
      builder.setHeader(headers[i], headers[i + 1]);
    }
    return builder;
  }

  /** Uploads a file. */
  public HttpResponse<String> upload(
      String filename, byte[] content, String purpose, String... headers) {
    ByteArrayOutputStream body = new ByteArrayOutputStream();
    body.writeBytes(
        "--XX\r\nContent-Disposition: form-data; name=\"file\"; filename=\"%s\"\r\n\r\n"
            .formatted(filename)
            .getBytes(UTF_8));
    body.writeBytes(content);
    body.writeBytes(
        "\r\n--XX\r\nContent-Disposition: form-data; name=\"purpose\"\r\n\r\n%s\r\n--XX--\r\n"
            .formatted(purpose)
            .getBytes(UTF_8));
    return send(
        request("/v1/files", headers)
            .setHeader("Content-Type", "multipart/form-data; boundary=XX")
            .POST(HttpRequest.BodyPublishers.ofByteArray(body.toByteArray()))
            .build());
  }

  /** Returns the value of JARVIS_API_KEYS for a user with a key. */
  public static String apiKeys(String user, String key) {
    try {
      byte[] hash = MessageDigest.getInstance("SHA-256").digest(key.getBytes(UTF_8));
      return user + ":" + HexFormat.of().formatHex(hash);
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError(e);
    }
  }

  public HttpResponse<String> send(HttpRequest request) {
    try {
      return CLIENT.send(request, BodyHandlers.ofString());
    } catch (IOException e) {
      throw new AssertionError(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new AssertionError(e);
    }
  }

  public static JsonNode json(String text) {
    try {
      return MAPPER.readTree(text);
    } catch (IOException e) {
      throw new AssertionError("not JSON: " + text, e);
    }
  }

  /**
   * Returns the value of a series in /metrics, 0 if it is absent; the labels must be in the order
   * of /metrics.
   */
  public double metric(String series) {
    return get("/metrics")
        .body()
        .lines()
        .filter(it -> it.startsWith(series + " "))
        .mapToDouble(it -> Double.parseDouble(it.substring(series.length() + 1)))
        .findFirst()
        .orElse(0);
  }

  @Override
  public void close() {
    jarvis.close();
    try {
      if (!replica) {
        ollama.close();
        redis.close();
        database.close();
      }
      TestFolders.delete(home);
    } catch (IOException | SQLException e) {
      throw new AssertionError("the service did not clean up", e);
    }
  }

  private static final class Shared {
    private static final TestService SERVICE = start();

    private static TestService start() {
      try {
        TestService service = TestService.start(Map.of());
        SharedUntilExit.add(service);
        return service;
      } catch (Exception e) {
        throw new AssertionError("the service did not start", e);
      }
    }
  }
}
