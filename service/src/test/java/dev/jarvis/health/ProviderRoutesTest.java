package dev.jarvis.health;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import dev.jarvis.TestService;
import dev.jarvis.provider.openai.FakeOpenAi;
import java.io.IOException;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Providers with odd lists of models, their states, and that they are used. */
@Timeout(120)
class ProviderRoutesTest {
  private static final String CHUNK =
      """
      {"choices":[{"index":0,"message":{"content":"hi"},"finish_reason":"stop"}],\
      "usage":{"prompt_tokens":1,"completion_tokens":1}}""";

  private static final FakeOpenAi UNLISTED = server(404, "");
  private static final FakeOpenAi NAMED = server(404, "");
  private static final FakeOpenAi BARE = server(200, "[{\"id\":\"bare\\n\"},{\"id\":\"bare-é\"}]");
  private static final FakeOpenAi NULL = server(200, "{\"data\":null}");
  private static final FakeOpenAi REFUSED = server(401, "");
  private static TestService service;

  private static FakeOpenAi server(int status, String list) {
    try {
      FakeOpenAi server = FakeOpenAi.start("m");
      server.listWith(status, list);
      server.answer(CHUNK);
      return server;
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  @BeforeAll
  static void start() throws Exception {
    service =
        TestService.startWith(
            """
            models: {refresh: 200ms}
            api-keys: "%s"
            providers:
              unlisted: {type: openai, url: "%s"}
              named: {type: openai, url: "%s", models: "sonar, sonar-pro"}
              bare: {type: openai, url: "%s"}
              nothing: {type: openai, url: "%s"}
              refused: {type: openai, url: "%s"}
              gone: {type: openai, url: "http://127.0.0.1:1/v1", models: "kept"}
            routes:
              - name: by-route
                targets: [{provider: unlisted, model: some-model}]
            """
                .formatted(
                    TestService.apiKeys("ann", "sk-of-ann-0123456789"),
                    UNLISTED.uri(),
                    NAMED.uri(),
                    BARE.uri(),
                    NULL.uri(),
                    REFUSED.uri()));
    service.awaitModel("bare-é");
    await()
        .until(() -> states().findValuesAsText("checked_at").stream().noneMatch(String::isEmpty));
  }

  @AfterAll
  static void stop() {
    service.close();
    UNLISTED.close();
    NAMED.close();
    BARE.close();
    NULL.close();
    REFUSED.close();
  }

  private static JsonNode states() {
    return TestService.json(service.get("/health/providers").body()).path("data");
  }

  private static JsonNode state(String provider) {
    return states()
        .valueStream()
        .filter(it -> it.path("name").asText().equals(provider))
        .findFirst()
        .orElseThrow();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          ollama   | ollama | up   | 1 | listed     |              |
          unlisted | openai | up   | 0 | none       |              | name
          named    | openai | up   | 2 | configured |              |
          bare     | openai | up   | 1 | listed     |              | ignored
          nothing  | openai | up   | 0 | listed     |              |
          refused  | openai | down | 0 | none       | API key      | name
          gone     | openai | down | 1 | configured | be reached   |
          """)
  void reportsTheState(
      String name,
      String type,
      String up,
      int models,
      String source,
      String reason,
      String notice) {
    JsonNode state = state(name);

    assertThat(state.path("type").asText()).isEqualTo(type);
    assertThat(state.path("state").asText()).isEqualTo(up);
    assertThat(state.path("models").asInt()).isEqualTo(models);
    assertThat(state.path("models_source").asText()).isEqualTo(source);
    assertThat(state.path("models_truncated").asBoolean()).isFalse();
    assertThat(state.path("notices")).hasSize(notice == null ? 0 : 1);
    if (notice != null) {
      assertThat(state.path("notices").path(0).asText()).containsIgnoringCase(notice);
    }
    if (reason == null) {
      assertThat(state.path("reason").isNull()).isTrue();
    } else {
      assertThat(state.path("reason").asText()).contains(reason).doesNotContain("127.0.0.1");
    }
    assertThat(Instant.parse(state.path("since").asText())).isBeforeOrEqualTo(Instant.now());
    assertThat(state.path("checked_ms_ago").asLong()).isBetween(0L, 60_000L);
    assertThat(state.path("check_duration_ms").asLong(-1)).isNotNegative();
    assertThat(service.metric("llm_provider_up{provider=\"" + name + "\"}"))
        .isEqualTo(up.equals("up") ? 1 : 0);
  }

  /** The status, and the header that names the model. */
  @ParameterizedTest
  @CsvSource({
    "sonar, 200, sonar", // named, though the server lists none
    "by-route, 200, some-model", // the server lists none, the route names it
    "bare-é, 200, bare-%C3%A9",
    "kept, 502, ", // named, and its server is gone
    "some-model, 404, "
  })
  void usesTheirModels(String model, int status, String header) {
    HttpResponse<String> answer =
        service.chat(
            "{\"model\":\"%s\",\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}"
                .formatted(model));

    assertThat(answer.statusCode()).as(answer.body()).isEqualTo(status);
    assertThat(answer.headers().firstValue("x-jarvis-model").orElse(null)).isEqualTo(header);
  }

  @Test
  void isForTheAdministrator() {
    assertThat(service.get("/health/providers", "Authorization", "Bearer x").statusCode())
        .isEqualTo(401);
    assertThat(
            service
                .get("/health/providers", "Authorization", "Bearer sk-of-ann-0123456789")
                .statusCode())
        .isEqualTo(403);
  }

  @Test
  void healthStaysAsItWas() {
    JsonNode health = TestService.json(service.get("/health").body());

    assertThat(health.propertyStream().map(java.util.Map.Entry::getKey))
        .containsExactly("status", "version", "uptime_seconds", "checks");
    assertThat(health.path("checks").path("ollama").asText()).isEqualTo("ok");
  }

  @Test
  void noticesThatAProviderHasReturned() {
    String before = state("refused").path("since").asText();
    REFUSED.listWith(200, "{\"data\":[{\"id\":\"back\"}]}");
    try {
      await()
          .atMost(Duration.ofSeconds(20))
          .until(() -> state("refused").path("state").asText().equals("up"));
      assertThat(Instant.parse(state("refused").path("since").asText()))
          .isAfter(Instant.parse(before));
    } finally {
      REFUSED.listWith(401, "");
      await()
          .atMost(Duration.ofSeconds(20))
          .until(() -> state("refused").path("state").asText().equals("down"));
    }
  }
}
