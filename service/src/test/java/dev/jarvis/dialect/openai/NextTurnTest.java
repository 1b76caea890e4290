package dev.jarvis.dialect.openai;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jarvis.TestService;
import dev.jarvis.dialect.openai.OddAnswers.Odd;
import dev.jarvis.json.Json;
import dev.jarvis.provider.openai.FakeOpenAi;
import java.net.http.HttpResponse;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * A client adds {@code choices[0].message} of each answer of {@code odd-servers.txt} to its
 * conversation, as it is, and asks again.
 */
@Timeout(60)
class NextTurnTest {
  private static final String CLOUD = "cloud-1";
  private static final String OLLAMA = "fake:1b";

  private static OddServer server;
  private static FakeOpenAi cloud;
  private static TestService service;

  @BeforeAll
  static void start() throws Exception {
    server = OddServer.start();
    cloud = FakeOpenAi.start(CLOUD);
    cloud.events("{\"choices\":[{\"index\":0,\"delta\":{\"content\":\"ok\"}}]}");
    service =
        TestService.startWith(
                """
                providers:
                  odd: {type: openai, url: "%s"}
                  odd-ollama: {type: ollama, url: "%s"}
                  cloud: {type: openai, url: "%s"}
                routes:
                  - {name: odd-server, targets: [{provider: odd, model: odd}]}
                  - {name: odd-ollama-server, targets: [{provider: odd-ollama, model: odd}]}
                """
                    .formatted(server.uri("/v1"), server.uri(""), cloud.uri()))
            .awaitModel("odd")
            .awaitModel(CLOUD);
  }

  @AfterAll
  static void stop() {
    service.close();
    cloud.close();
    server.close();
  }

  static Stream<Odd> answers() {
    return OddAnswers.cases().filter(it -> !it.fails());
  }

  private static HttpResponse<String> ask(String model, JsonNode... history) {
    ObjectNode body = Json.object().put("model", model);
    ArrayNode messages = body.putArray("messages");
    messages.addObject().put("role", "user").put("content", "q");
    for (JsonNode message : history) {
      messages.add(message);
    }
    return service.chat(body.toString());
  }

  @ParameterizedTest
  @MethodSource("answers")
  void takesTheMessageOfAnAnswer(Odd odd) {
    server.answer(odd.body(), odd.options());
    HttpResponse<String> answer = ask(odd.ollama() ? "odd-ollama-server" : "odd-server");
    assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
    JsonNode message = TestService.json(answer.body()).at("/choices/0/message");

    HttpResponse<String> next = ask(CLOUD, message);

    assertThat(next.statusCode()).as(next.body()).isEqualTo(200);
    assertThat(TestService.json(cloud.lastBody()).at("/messages/1")).isEqualTo(message);
    assertAtOllama(message);
  }

  /** Only parts that are neither text nor an image are refused there, by their place. */
  private static void assertAtOllama(JsonNode message) {
    HttpResponse<String> next = ask(OLLAMA, message);

    if (next.statusCode() != 200) {
      JsonNode error = TestService.json(next.body()).path("error");
      assertThat(error.path("code").asText()).as(next.body()).isEqualTo("unsupported_field");
      assertThat(error.path("param").asText()).startsWith("messages[1].content[");
      return;
    }
    JsonNode sent = TestService.json(service.ollama().lastBody()).at("/messages/1");
    assertThat(sent.path("role").asText()).isEqualTo("assistant");
    if (message.path("content").isTextual() && !message.path("content").asText().isEmpty()) {
      assertThat(sent.path("content")).isEqualTo(message.path("content"));
    }
    if (!message.path("reasoning_content").asText("").isEmpty()) {
      assertThat(sent.path("thinking")).isEqualTo(message.path("reasoning_content"));
    }
    assertThat(sent.path("tool_calls"))
        .hasSize(message.path("tool_calls").size() + (message.hasNonNull("function_call") ? 1 : 0))
        .allSatisfy(
            call -> {
              assertThat(call.at("/function/name").asText()).isNotEmpty();
              assertThat(call.at("/function/arguments").isObject()).isTrue();
            });
  }
}
