package dev.jarvis.limit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import dev.jarvis.TestService;
import dev.jarvis.http.connection.RawConnection;
import dev.jarvis.provider.ollama.FakeOllama;
import dev.jarvis.storage.embedded.LocalRedis;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Limits as clients see them, over two replicas where it matters. */
@Timeout(120)
class LimitsTest {
  private static final Duration LIMIT = Duration.ofSeconds(30);
  private static final String REQUESTS = "JARVIS_LIMITS_USER_REQUESTS_PER_MINUTE";
  private static final String TOKENS = "JARVIS_LIMITS_KEY_TOKENS_PER_MINUTE";
  private static final String PARALLEL = "JARVIS_LIMITS_USER_PARALLEL_CALLS";
  private static final String ROUTES =
      "routes: [{name: ours, cache: shared, targets: [{provider: ollama, model: \"fake:1b\"}]}]";

  @TempDir private static Path folder;
  private final List<TestService> replicas = new ArrayList<>();
  private int questions;

  /** Starts one replica, or another. */
  private TestService start(Map<String, String> settings) throws Exception {
    Path file = folder.resolve("jarvis.yaml");
    Files.writeString(file, ROUTES);
    Map<String, String> all = new HashMap<>(settings);
    all.put("JARVIS_LIMITS_REDIS_TIMEOUT", "20s"); // on a busy machine too, Redis counts
    all.put("JARVIS_CONFIG", file.toString());
    TestService replica =
        replicas.isEmpty() ? TestService.start(all) : replicas.getFirst().replica(all);
    replicas.add(replica);
    return replica.awaitModel(replica.ollama().model());
  }

  @AfterEach
  void stop() {
    replicas.reversed().forEach(TestService::close);
  }

  private HttpResponse<String> ask(TestService replica, boolean stream) {
    return replica.chat(body("fake:1b", stream, "question " + questions++));
  }

  private static String body(String model, boolean stream, String question) {
    return """
        {"model": "%s", "stream": %s, "temperature": 0, "max_tokens": 50, "messages": [{"role": "user", "content": "%s"}]}"""
        .formatted(model, stream, question);
  }

  private static String header(HttpResponse<?> response, String name) {
    return response.headers().firstValue(name).orElse("none");
  }

  private static int remaining(HttpResponse<?> response, String of) {
    return Integer.parseInt(header(response, "x-ratelimit-remaining-" + of));
  }

  /** The number of 200s of a burst over all replicas; all others are refused by a limit. */
  private long burst(int requests) throws Exception {
    List<Future<HttpResponse<String>>> answers;
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      answers =
          IntStream.range(0, requests)
              .mapToObj(
                  it ->
                      threads.submit(
                          () ->
                              replicas
                                  .get(it % replicas.size())
                                  .chat(body("fake:1b", it % 3 == 0, "burst " + it))))
              .toList();
    }
    long granted = 0;
    for (Future<HttpResponse<String>> answer : answers) {
      assertThat(answer.get().statusCode()).as(answer.get().body()).isIn(200, 429);
      granted += answer.get().statusCode() == 200 ? 1 : 0;
    }
    return granted;
  }

  @Test
  void aBurstOverTwoReplicasIsCountedExactly() throws Exception {
    Map<String, String> settings = Map.of(REQUESTS, "17");
    start(settings);
    start(settings);

    assertThat(burst(60)).isEqualTo(17);
    assertThat(burst(10)).isZero();
  }

  @Test
  void tokensOfABurstOverTwoReplicasAreCountedExactly() throws Exception {
    Map<String, String> settings = Map.of(TOKENS, "300", "JARVIS_LIMITS_OUTPUT_ESTIMATE", "27");
    start(settings);
    start(settings);
    replicas.getFirst().ollama().hold();

    // an estimate of 3 for the question and 27 for the answer
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      Future<Long> granted = threads.submit(() -> burst(40));
      await()
          .atMost(LIMIT)
          .until(
              () ->
                  replicas.stream().mapToDouble(it -> it.metric(refusals("key", "tokens"))).sum()
                      == 30);
      replicas.getFirst().ollama().release();
      assertThat(granted.get()).isEqualTo(10);
    }
    // 10 answers used 11 + 6 tokens each
    for (TestService replica : replicas) { // answers are settled after their clients have them
      await().atMost(LIMIT).until(() -> replica.metric("http_active_requests") == 1);
    }
    int before = questions;
    await()
        .atMost(LIMIT)
        .untilAsserted(
            () -> {
              int used = 17 * (10 + questions - before);
              HttpResponse<String> next = ask(replicas.getLast(), false);
              assertThat(remaining(next, "tokens")).isEqualTo(300 - used - 30);
            });
  }

  @Test
  void withoutRedisEachReplicaAllowsItsShare() throws Exception {
    LocalRedis redis = LocalRedis.start(folder.resolve("redis"));
    Map<String, String> settings =
        Map.of(
            "JARVIS_REDIS_URL",
            "redis://%s:%d".formatted(redis.uri().getHost(), redis.uri().getPort()),
            "JARVIS_REDIS_PASSWORD",
            redis.password(),
            "JARVIS_LIMITS_MAX_REPLICAS",
            "2",
            REQUESTS,
            "10");
    try (redis) {
      start(settings);
      start(settings);
    }

    for (TestService replica : replicas) {
      for (int i = 0; i < 3; i++) {
        assertThat(ask(replica, false).statusCode()).isEqualTo(200);
      }
      assertThat(replica.metric("limits_local")).isEqualTo(1);
    }
    assertThat(burst(40)).as("10, and 6 are used").isEqualTo(4);
    assertThat(ask(replicas.getFirst(), false).body())
        .contains("its limit is 5 at the moment, a replica's share of 10.");
  }

  @Test
  void parallelCallsAreLimitedOverTwoReplicas() throws Exception {
    Map<String, String> settings = Map.of(PARALLEL, "3");
    TestService first = start(settings);
    TestService second = start(settings);
    FakeOllama ollama = first.ollama();
    ollama.hold();
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      Future<Long> granted = threads.submit(() -> burst(20));
      await()
          .atMost(LIMIT)
          .until(
              () ->
                  first.metric(refusals("user", "parallel"))
                          + second.metric(refusals("user", "parallel"))
                      == 17);
      HttpResponse<String> refused = ask(second, true);
      assertThat(refused.statusCode()).isEqualTo(429);
      assertThat(header(refused, "retry-after")).isEqualTo("1");
      assertThat(refused.body())
          .contains("Your user 'admin' has 3 calls in progress; its limit is 3. Try again in 1 s.");
      ollama.release();
      assertThat(granted.get()).isEqualTo(3);
    }
    assertThat(burst(3)).as("the slots are free").isEqualTo(3);
  }

  private static String refusals(String scope, String limit) {
    return "limit_refusals_total{limit=\"%s\",scope=\"%s\"}".formatted(limit, scope);
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void answersAndRefusalsShowTheLimits(boolean stream) throws Exception {
    TestService service = start(Map.of(REQUESTS, "2", TOKENS, "1000"));

    HttpResponse<String> answer = ask(service, stream);
    assertThat(answer.statusCode()).isEqualTo(200);
    assertThat(header(answer, "x-ratelimit-limit-requests")).isEqualTo("2");
    assertThat(header(answer, "x-ratelimit-remaining-requests")).isEqualTo("1");
    assertThat(header(answer, "x-ratelimit-reset-requests")).matches("1m[01]s");
    assertThat(header(answer, "x-ratelimit-limit-tokens")).isEqualTo("1000");
    assertThat(remaining(answer, "tokens")).as("3 for the question, 50 at most").isEqualTo(947);
    assertThat(header(answer, "x-ratelimit-reset-tokens")).matches("1m[01]s");

    ask(service, stream);
    HttpResponse<String> refused = ask(service, stream);
    JsonNode error = TestService.json(refused.body()).path("error");
    assertThat(refused.statusCode()).isEqualTo(429);
    assertThat(error.path("type").asText()).isEqualTo("rate_limit_error");
    assertThat(error.path("code").asText()).isEqualTo("rate_limit_exceeded");
    assertThat(error.path("message").asText())
        .matches(
            "Your user 'admin' has made 2 requests in the last minute; its limit is 2. Try again in \\d+ s.")
        .endsWith(" %s s.".formatted(header(refused, "retry-after")));
    assertThat(header(refused, "x-ratelimit-remaining-requests")).isEqualTo("0");
    assertThat(service.metric(refusals("user", "requests"))).isEqualTo(1);
    assertThat(
            service.metric(
                "llm_requests_total{model=\"_other\",outcome=\"rejected\",provider=\"_none\"}"))
        .isEqualTo(1);
  }

  @Test
  void withoutLimitsThereAreNoHeaders() throws Exception {
    HttpResponse<String> answer = ask(start(Map.of()), false);
    assertThat(answer.headers().map().keySet()).noneMatch(it -> it.startsWith("x-ratelimit"));
  }

  static Stream<Arguments> ends() {
    Consumer<FakeOllama> fine = FakeOllama::reset;
    String chat = body("fake:1b", false, "q");
    return Stream.of(
        Arguments.of("an unknown model", fine, body("unknown", false, "q"), 404, 0),
        Arguments.of("a bad request", fine, "{\"model\": \"fake:1b\"}", 400, 0),
        Arguments.of(
            "grounding without a question",
            fine,
            "{\"model\": \"fake:1b\", \"grounding\": {}, \"messages\": [{\"role\": \"system\", \"content\": \"q\"}]}",
            400,
            0),
        Arguments.of("refused by the model server", fails(400), chat, 400, 0),
        Arguments.of(
            "not found at the model server", fails(404, "model 'fake:1b' not found"), chat, 404, 0),
        Arguments.of(
            "a busy model server",
            (Consumer<FakeOllama>) it -> it.failTimes(9, 503, 9),
            chat,
            503,
            0),
        Arguments.of("a model server's limit", fails(429), chat, 429, 0),
        Arguments.of("a failed model server", fails(500), chat, 502, 1),
        Arguments.of(
            "a stream that breaks off",
            (Consumer<FakeOllama>) FakeOllama::breakMidStream,
            body("fake:1b", true, "q"),
            200,
            1),
        Arguments.of("an answer", fine, chat, 200, 1),
        Arguments.of("a stream", fine, body("fake:1b", true, "q"), 200, 1));
  }

  private static Consumer<FakeOllama> fails(int status) {
    return it -> it.failWith(status);
  }

  private static Consumer<FakeOllama> fails(int status, String text) {
    return it -> it.failWith(status, text);
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("ends")
  void onlyWhatWasNotRefusedCounts(
      String what, Consumer<FakeOllama> script, String body, int status, int requests)
      throws Exception {
    TestService service = start(Map.of(REQUESTS, "100", TOKENS, "10000", PARALLEL, "1"));
    script.accept(service.ollama());

    HttpResponse<String> answer = service.chat(body);
    assertThat(answer.statusCode()).as(answer.body()).isEqualTo(status);

    service.ollama().reset();
    HttpResponse<String> next = ask(service, false);
    assertThat(next.statusCode()).as("the slot is free").isEqualTo(200);
    assertThat(remaining(next, "requests")).isEqualTo(100 - requests - 1);
    if (requests == 0) {
      assertThat(remaining(next, "tokens")).isEqualTo(10000 - 53);
    }
  }

  @Test
  void aCallThatIsRefusedByTheQueueUsesNothing() throws Exception {
    TestService service =
        start(
            Map.of(
                REQUESTS, "100", "JARVIS_CHAT_MAX_CONCURRENT", "1", "JARVIS_CHAT_MAX_QUEUED", "0"));
    service.ollama().hold();
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      Future<HttpResponse<String>> first = threads.submit(() -> ask(service, false));
      await().atMost(LIMIT).until(() -> service.ollama().requests() == 1);
      assertThat(service.chat(body("fake:1b", false, "other")).statusCode()).isEqualTo(503);
      service.ollama().release();
      assertThat(first.get().statusCode()).isEqualTo(200);
    }
    assertThat(remaining(ask(service, false), "requests")).isEqualTo(98);
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void aClientThatLeavesFreesItsSlot(boolean stream) throws Exception {
    TestService service = start(Map.of(PARALLEL, "1", REQUESTS, "100"));
    service.ollama().endless();
    try (RawConnection client = new RawConnection(service)) {
      client.send(RawConnection.chat(body("fake:1b", stream, "q")));
      await().atMost(LIMIT).until(() -> service.ollama().requests() == 1);
      assertThat(ask(service, false).statusCode()).isEqualTo(429);
      client.reset();
    }
    await().atMost(LIMIT).until(service.ollama()::clientGone);
    service.ollama().reset();
    await().atMost(LIMIT).until(() -> ask(service, false).statusCode() == 200);
  }

  @Test
  void cachedAnswersAndFollowersCostARequestButNoTokens() throws Exception {
    TestService service = start(Map.of(REQUESTS, "100", TOKENS, "1000", PARALLEL, "20"));
    service.ollama().hold();
    String body = body("ours", false, "the same");
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<HttpResponse<String>>> answers =
          IntStream.range(0, 10).mapToObj(it -> threads.submit(() -> service.chat(body))).toList();
      await().atMost(LIMIT).until(() -> service.metric("http_active_requests") == 11);
      service.ollama().release();
      for (Future<HttpResponse<String>> answer : answers) {
        assertThat(answer.get().statusCode()).isEqualTo(200);
      }
    }
    assertThat(header(service.chat(body), "x-jarvis-cache")).isEqualTo("hit");
    assertThat(service.ollama().requests()).isEqualTo(1);

    await() // followers are settled after their clients have the answer
        .atMost(LIMIT)
        .untilAsserted(
            () -> {
              HttpResponse<String> next = ask(service, false);
              int asked = 100 - remaining(next, "requests");
              int models = asked - 10; // one for the shared answer, and each of these
              assertThat(remaining(next, "tokens")).isEqualTo(1000 - (models - 1) * 17 - 53);
            });
  }

  @Test
  void searchesFilesAndExplanationsHaveLimitsOfTheirOwn() throws Exception {
    TestService service =
        start(
            Map.of(
                "JARVIS_LIMITS_SEARCH_REQUESTS_PER_MINUTE", "1",
                "JARVIS_LIMITS_FILES_REQUESTS_PER_MINUTE", "2",
                "JARVIS_LIMITS_EXPLAIN_REQUESTS_PER_MINUTE", "1"));
    String search = "{\"query\": \"q\"}";
    String explain = body("fake:1b", false, "q").replace("\"temperature\": 0, ", "");

    assertThat(service.post("/v1/search", search).statusCode()).isEqualTo(200);
    assertThat(service.get("/v1/files").statusCode()).isEqualTo(200);
    assertThat(service.get("/v1/files/file-unknown").statusCode()).isEqualTo(404);
    assertThat(service.post("/v1/routing/explain", explain).statusCode()).isEqualTo(200);

    for (HttpResponse<String> refused :
        List.of(
            service.post("/v1/search", search),
            service.get("/v1/files"),
            service.post("/v1/routing/explain", explain))) {
      assertThat(refused.statusCode()).isEqualTo(429);
      assertThat(Integer.parseInt(header(refused, "retry-after"))).isBetween(1, 60);
      assertThat(refused.body())
          .containsPattern(
              "You have made (1 search|2 requests to /v1/files|1 explanation) in the last minute; the limit is ");
    }
    assertThat(service.metric(refusals("route", "requests"))).isEqualTo(3);
    assertThat(ask(service, false).statusCode()).isEqualTo(200);
  }
}
