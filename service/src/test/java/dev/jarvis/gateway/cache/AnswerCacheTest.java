package dev.jarvis.gateway.cache;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import dev.jarvis.TestService;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The answer cache, as a client sees it. */
@Timeout(60)
class AnswerCacheTest {
  private static final String ROUTES =
      """
      routes:
        - {name: mine, cache: user, targets: [{provider: ollama, model: "fake:1b"}]}
        - {name: ours, cache: shared, targets: [{provider: ollama, model: "fake:1b"}]}
        - {name: short, cache: shared, cache-ttl: 3s, targets: [{provider: ollama, model: "fake:1b"}]}
        - {name: plain, targets: [{provider: ollama, model: "fake:1b"}]}
      """;
  private static final String CACHED =
      "llm_requests_total{model=\"fake:1b\",outcome=\"cached\",provider=\"ollama\"}";
  private static final String INPUT =
      "llm_tokens_total{model=\"fake:1b\",provider=\"ollama\",type=\"input\"}";

  private static TestService service;
  private static int questions;

  private String question = "";

  @BeforeAll
  static void start() throws Exception {
    service = TestService.startWith(ROUTES);
  }

  @AfterAll
  static void stop() {
    service.close();
  }

  @BeforeEach
  void reset() {
    service.ollama().reset();
    question = "question " + questions++;
  }

  private HttpResponse<String> ask(String route, String fields, String... headers) {
    return service.chat(
        """
        {"model": "%s", "messages": [{"role": "user", "content": "%s"}], %s}"""
            .formatted(route, question, fields),
        headers);
  }

  private HttpResponse<String> ask(String route) {
    return ask(route, "\"temperature\": 0");
  }

  private static String cache(HttpResponse<String> response) {
    assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
    return response.headers().firstValue("x-jarvis-cache").orElse("none");
  }

  private static String text(HttpResponse<String> stream) {
    return stream
        .body()
        .lines()
        .filter(it -> it.startsWith("data: {"))
        .map(it -> TestService.json(it.substring(6)))
        .map(it -> it.at("/choices/0/delta/content").asText())
        .collect(Collectors.joining());
  }

  @Test
  void answersTheSameRequestWithoutAModel() {
    JsonNode first = TestService.json(ask("ours").body());
    double cached = service.metric(CACHED);
    double tokens = service.metric(INPUT);

    HttpResponse<String> again = ask("ours");
    HttpResponse<String> stream =
        ask(
            "ours",
            "\"stream_options\": {\"include_usage\": true}, \"stream\": true, \"temperature\": 0");

    assertThat(cache(again)).isEqualTo("hit");
    JsonNode second = TestService.json(again.body());
    assertThat(second.path("choices")).isEqualTo(first.path("choices"));
    assertThat(second.path("usage")).isEqualTo(first.path("usage"));
    assertThat(second.path("id")).isNotEqualTo(first.path("id"));
    assertThat(again.headers().firstValue("x-jarvis-model")).contains("fake:1b");
    assertThat(cache(stream)).isEqualTo("hit");
    assertThat(text(stream)).isEqualTo(service.ollama().answer());
    assertThat(stream.body()).contains("\"finish_reason\":\"stop\"", "\"total_tokens\"", "[DONE]");
    assertThat(service.ollama().requests()).isEqualTo(1);
    assertThat(service.metric(CACHED)).isEqualTo(cached + 2);
    assertThat(service.metric(INPUT)).as("tokens").isEqualTo(tokens);
    assertThat(service.metric("llm_cache_requests_total{result=\"hit\"}")).isGreaterThan(1);
  }

  @Test
  void cachesStreamsLikeWholeAnswers() {
    service
        .ollama()
        .answerWith(
            """
            {"role":"assistant","content":"x","tool_calls":[{"function":{"name":"f","arguments":{}}}]}""");

    HttpResponse<String> stream = ask("ours", "\"temperature\": 0, \"stream\": true");
    JsonNode again = TestService.json(ask("ours").body()).at("/choices/0");

    assertThat(cache(stream)).isEqualTo("miss");
    assertThat(again.path("finish_reason").asText()).isEqualTo("tool_calls");
    assertThat(again.at("/message/content").asText()).isEqualTo("x");
    assertThat(again.at("/message/tool_calls/0/function/name").asText()).isEqualTo("f");
    assertThat(ask("ours", "\"temperature\": 0, \"stream\": true").body())
        .contains("\"tool_calls\":[{\"index\":0,");
    assertThat(service.ollama().requests()).isEqualTo(1);
  }

  @Test
  void doesNotShareAnswersBetweenUsersUnlessTheRouteDoes() {
    String ann = "\"temperature\": 0, \"user\": \"ann\"";
    String bob = "\"temperature\": 0, \"user\": \"bob\"";

    assertThat(cache(ask("mine", ann))).isEqualTo("miss");
    assertThat(cache(ask("mine", bob))).isEqualTo("miss");
    assertThat(cache(ask("mine", ann))).isEqualTo("hit");
    assertThat(cache(ask("ours", ann))).as("another route").isEqualTo("miss");
    assertThat(cache(ask("ours", bob))).isEqualTo("hit");
  }

  @Test
  void distinguishesRequestsByEveryFieldThatAffectsTheAnswer() {
    assertThat(cache(ask("ours", "\"temperature\": 0, \"max_tokens\": 5"))).isEqualTo("miss");
    assertThat(cache(ask("ours", "\"max_tokens\": 5, \"temperature\": 0"))).isEqualTo("hit");
    for (String other : List.of("\"max_tokens\": 6", "\"stop\": \"x\"", "\"top_k\": 1")) {
      assertThat(cache(ask("ours", "\"temperature\": 0, " + other))).as(other).isEqualTo("miss");
    }
    question += "?";
    assertThat(cache(ask("ours", "\"temperature\": 0, \"max_tokens\": 5"))).isEqualTo("miss");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '\0',
      value = {
        "'temperature': 0                   | 'temperature': 0.0                      | hit",
        "'temperature': 0                   | 'temperature': 0, 'max_tokens': null    | hit",
        "'temperature': 0, 'max_tokens': 5  | 'temperature': -0.0, 'max_tokens': 5.0  | hit",
        "'temperature': 0, 'seed': 10       | 'temperature': 0.00, 'seed': 1e1        | hit",
        "'temperature': 0, 'best_of': 5       | 'temperature': 0, 'best_of': '5'          | miss",
        "'temperature': 0, 'x': [1]         | 'temperature': 0, 'x': [1.0]            | miss",
        "'temperature': 0, 'x': {'a': null} | 'temperature': 0, 'x': {}               | miss",
        "'temperature': 0, 'x': false       | 'temperature': 0, 'x': 0                | miss"
      })
  void spellingsOfANumberAreOneQuestion(String first, String second, String expected) {
    ask("ours", first.replace('\'', '"'));

    assertThat(cache(ask("ours", second.replace('\'', '"')))).isEqualTo(expected);
  }

  @Test
  void bypassesTheCacheForRandomAnswersAndOnRequest() {
    ask("ours");

    assertThat(cache(ask("ours", "\"temperature\": 0.5"))).isEqualTo("bypass");
    assertThat(cache(ask("ours", "\"temperature\": 0.5, \"seed\": 1"))).isEqualTo("miss");
    assertThat(cache(ask("ours", "\"temperature\": 0", "Cache-Control", "no-store")))
        .isEqualTo("bypass");
    assertThat(cache(ask("ours", "\"temperature\": 0", "Cache-Control", "no-cache")))
        .isEqualTo("miss");
    assertThat(cache(ask("ours"))).isEqualTo("hit");
    assertThat(cache(ask("plain"))).as("off by default").isEqualTo("none");
    assertThat(cache(ask("plain"))).isEqualTo("none");
  }

  @Test
  void doesNotCacheAFailedAnswer() {
    service.ollama().breakMidStream();
    assertThat(ask("ours").statusCode()).isEqualTo(502);
    service.ollama().reset();

    assertThat(cache(ask("ours"))).isEqualTo("miss");
  }

  @Test
  void expiresAnswers() throws Exception {
    ask("short");
    assertThat(cache(ask("short"))).isEqualTo("hit");
    await().atMost(Duration.ofSeconds(20)).until(() -> cache(ask("short")).equals("miss"));
  }

  @Test
  void sharesAGenerationAmongEqualRequests() throws Exception {
    service.ollama().pauseBetweenPieces(Duration.ofMillis(100));
    List<String> results = new ArrayList<>();
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<HttpResponse<String>>> answers = new ArrayList<>();
      for (int i = 0; i < 5; i++) {
        boolean stream = i % 2 == 0;
        answers.add(threads.submit(() -> ask("ours", "\"temperature\": 0, \"stream\": " + stream)));
      }
      for (Future<HttpResponse<String>> answer : answers) {
        results.add(cache(answer.get()));
      }
    }

    assertThat(results).containsExactlyInAnyOrder("miss", "hit", "hit", "hit", "hit");
    assertThat(service.ollama().requests()).isEqualTo(1);
  }

  @Test
  void asksModelsIfRedisIsUnavailable(@TempDir Path folder) throws Exception {
    Path file = folder.resolve("jarvis.yaml");
    Files.writeString(file, ROUTES);
    try (TestService alone =
        TestService.start(
            Map.of("JARVIS_CONFIG", file.toString(), "JARVIS_REDIS_URL", "redis://127.0.0.1:1"))) {
      for (int i = 0; i < 2; i++) {
        HttpResponse<String> response =
            alone.chat(
                "{\"model\": \"ours\", \"temperature\": 0, \"messages\": [{\"role\": \"user\", \"content\": \"hi\"}]}");

        assertThat(cache(response)).isEqualTo("bypass");
      }
      assertThat(alone.metric("llm_cache_requests_total{result=\"error\"}")).isEqualTo(2);
    }
  }
}
