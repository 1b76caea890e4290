package dev.jarvis.chaos;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import dev.jarvis.TestFolders;
import dev.jarvis.TestService;
import java.io.IOException;
import java.math.BigDecimal;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Two replicas of the service over PostgreSQL with a standby, Redis and a model server that counts:
 * what the tests of chaos break.
 */
final class Cluster implements AutoCloseable {
  private static final Duration LIMIT = Duration.ofMinutes(1);
  private static final HttpClient CLIENT =
      HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

  private static final String CONFIGURATION =
      """
      routes:
        - {name: cheap, targets: [{provider: ollama, model: "cheap:1b"}]}
        - name: falls-back
          targets:
            - {provider: ollama, model: "busy:1b", priority: 1}
            - {provider: ollama, model: "dear:1b", priority: 2}
      prices:
        - {provider: ollama, model: "cheap:1b", input: 1000, output: 2000}
        - {provider: ollama, model: "busy:1b", input: 1000, output: 2000}
        - {provider: ollama, model: "dear:1b", input: 3000, output: 6000}
      """;

  private final Path folder = TestFolders.create();
  private final Deque<AutoCloseable> parts = new ArrayDeque<>();
  private final Gate gate;
  private final ModelServer model;
  private final PostgresPair postgres;
  private final RedisNode redis;
  private final Replica first;
  private final Replica second;

  Cluster() throws Exception {
    // the user that PostgreSQL runs as must come through
    Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxr-xr-x"));
    try {
      gate = add(new Gate());
      model = add(new ModelServer(gate));
      postgres = add(new PostgresPair(folder));
      redis = add(new RedisNode(folder.resolve("redis")));
      first = add(new Replica(folder.resolve("first"), gate, settings()));
      second = add(new Replica(folder.resolve("second"), gate, settings()));
      first.start();
      first.awaitReady(); // it migrates the database
      second.start();
      awaitReplicas();
    } catch (Throwable e) {
      close();
      throw e;
    }
  }

  private <T extends AutoCloseable> T add(T part) {
    parts.push(part);
    return part;
  }

  private Map<String, String> settings() throws IOException {
    Path file = folder.resolve("jarvis.yaml");
    Files.writeString(file, CONFIGURATION);
    return Map.of(
        "JARVIS_CONFIG",
        file.toString(),
        "JARVIS_API_KEY",
        TestService.KEY,
        "JARVIS_OLLAMA_URL",
        model.uri().toString(),
        "JARVIS_DATABASE_URL",
        "postgresql://jarvis@127.0.0.1:%d/jarvis".formatted(postgres.port()),
        "JARVIS_DATABASE_QUERY_TIMEOUT",
        "2s",
        "JARVIS_REDIS_URL",
        "redis://127.0.0.1:" + redis.port(),
        "JARVIS_LIMITS_MAX_REPLICAS",
        "2",
        "JARVIS_LIMITS_ADMIN_REQUESTS_PER_MINUTE",
        "0",
        "JARVIS_CHAT_MAX_CONCURRENT",
        "2000",
        "JARVIS_MODELS_REFRESH",
        "1s");
  }

  /** Waits until both replicas have listed the models. */
  void awaitReplicas() {
    for (Replica replica : List.of(first, second)) {
      replica.awaitReady();
      await()
          .atMost(LIMIT)
          .ignoreExceptions()
          .until(() -> send(replica, "GET /v1/models").body().contains(ModelServer.DEAR));
    }
  }

  Path folder() {
    return folder;
  }

  Gate gate() {
    return gate;
  }

  ModelServer model() {
    return model;
  }

  PostgresPair postgres() {
    return postgres;
  }

  RedisNode redis() {
    return redis;
  }

  Replica first() {
    return first;
  }

  Replica second() {
    return second;
  }

  /** Makes a request of the admin, of a method, a path and perhaps a body. */
  HttpResponse<String> send(Replica replica, String request) {
    String[] words = request.split(" ", 3);
    HttpRequest.Builder builder =
        HttpRequest.newBuilder(replica.uri(words[1]))
            .timeout(Duration.ofSeconds(20))
            .header("Authorization", "Bearer " + TestService.KEY)
            .header("Content-Type", "application/json")
            .method(
                words[0],
                words.length < 3 ? BodyPublishers.noBody() : BodyPublishers.ofString(words[2]));
    try {
      return CLIENT.send(builder.build(), BodyHandlers.ofString());
    } catch (IOException e) {
      throw new AssertionError(request, e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new AssertionError(e);
    }
  }

  private JsonNode admin(String request) {
    HttpResponse<String> response = send(first, request);
    assertThat(response.statusCode()).as("%s: %s", request, response.body()).isIn(200, 202);
    return TestService.json(response.body());
  }

  /**
   * Creates a user in a team of the same name.
   *
   * @param limit the hard budget of the team, without a period; null for none
   */
  Account account(String name, @Nullable BigDecimal limit) {
    admin("POST /v1/admin/teams {\"id\":\"%s\"}".formatted(name));
    admin("POST /v1/admin/users {\"id\":\"%s\",\"team_id\":\"%s\"}".formatted(name, name));
    String key =
        admin("POST /v1/admin/keys {\"user_id\":\"%s\"}".formatted(name)).path("key").asText();
    if (limit != null) {
      admin(
          """
          POST /v1/admin/budgets {"scope":"team","scope_id":"%s","period":"none","limit_usd":"%s","hard":true}"""
              .formatted(name, limit.toPlainString()));
    }
    return new Account(name, name, key, limit);
  }

  /** Makes the database read-only, for the connections that are open too. */
  void readOnly(boolean on) {
    postgres.primary().execute("ALTER SYSTEM SET default_transaction_read_only = " + on);
    postgres.primary().execute("SELECT pg_reload_conf()");
  }

  /** The keys of reservations of calls that are not settled; empty if there is none. */
  List<String> reservations() {
    return Reservations.left(redis, postgres.primary());
  }

  /** By how many USD counters and ledger differ, as the replicas have found. */
  double drift() {
    return Stream.of(first, second)
        .filter(it -> it.process().alive())
        .mapToDouble(it -> metric(it, line -> line.startsWith("budget_drift_usd")))
        .sum();
  }

  /** Returns the sum of some series in /metrics. */
  double metric(Replica replica, Predicate<String> series) {
    return send(replica, "GET /metrics")
        .body()
        .lines()
        .filter(series)
        .mapToDouble(it -> Double.parseDouble(it.substring(it.lastIndexOf(' ') + 1)))
        .sum();
  }

  @Override
  public void close() throws Exception {
    for (AutoCloseable part : parts) {
      part.close();
    }
    TestFolders.delete(folder);
  }
}
