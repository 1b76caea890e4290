package dev.jarvis.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Prompts that are longer than the context window of a real Ollama's model. */
class ContextWindowIT {
  private static final Duration LIMIT = Duration.ofMinutes(2);
  private static final String LONG = "the quick brown fox jumps over a lazy dog ".repeat(250);
  private static final String TRUNCATED =
      "llm_truncated_prompts_total{model=\"smollm2:135m\",provider=\"small\"}";

  @BeforeAll
  static void theWindowIsKnown() {
    await().atMost(LIMIT).until(() -> explain("strict").at("/0/context_window").asInt() == 512);
  }

  private static String body(String model, String messages, String fields) {
    return """
        {"model": "%s", "max_tokens": 4, "messages": [%s]%s}"""
        .formatted(model, messages, fields);
  }

  private static String user(String text) {
    return "{\"role\": \"user\", \"content\": \"%s\"}".formatted(text);
  }

  private static HttpResponse<String> post(String path, String body) {
    return Stack.send(
        Stack.api(path).timeout(LIMIT).POST(HttpRequest.BodyPublishers.ofString(body)).build());
  }

  private static HttpResponse<String> ask(String model, String messages, String fields) {
    return post("/v1/chat/completions", body(model, messages, fields));
  }

  private static JsonNode explain(String model) {
    String body = body(model, user("hi"), "");
    return Stack.json(post("/v1/routing/explain", body).body()).path("targets");
  }

  private static String told(HttpResponse<?> answer) {
    assertThat(answer.statusCode()).as(String.valueOf(answer.body())).isEqualTo(200);
    return answer.headers().firstValue("x-jarvis-truncated").orElse("");
  }

  @Test
  void aCutPromptIsToldAndCounted() {
    double before = Stack.metric(TRUNCATED);

    assertThat(told(ask("told", user(LONG), ""))).startsWith("prompt: 512 of about ");
    assertThat(told(ask("told", user(LONG) + "," + user("hi"), "")))
        .as("Ollama leaves out the first message")
        .matches("prompt: \\d{1,3} of about \\d+ tokens");
    assertThat(ask("told", user(LONG), ", \"stream\": true").body())
        .contains(": jarvis {")
        .contains("\"truncated\":\"prompt: 512 of about ");
    assertThat(told(ask("told", user("hi"), ""))).isEmpty();
    assertThat(Stack.metric(TRUNCATED)).isEqualTo(before + 3);
  }

  @Test
  void aStrictRouteRefusesIt() {
    HttpResponse<String> refused = ask("strict", user(LONG), "");

    assertThat(refused.statusCode()).isEqualTo(400);
    assertThat(Stack.json(refused.body()).at("/error/code").asText())
        .isEqualTo("context_length_exceeded");
  }

  @Test
  void itFitsALargerWindow() {
    String text = LONG.substring(0, LONG.length() / 3);

    assertThat(ask("strict", user(text), "").statusCode()).isEqualTo(400);
    assertThat(told(ask("strict", user(text), ", \"num_ctx\": 8192"))).isEmpty();
  }
}
