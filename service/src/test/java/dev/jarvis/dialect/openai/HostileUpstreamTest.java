package dev.jarvis.dialect.openai;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import com.fasterxml.jackson.databind.JsonNode;
import dev.jarvis.TestService;
import dev.jarvis.provider.openai.FakeOpenAi;
import dev.jarvis.storage.Recorded;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.sdk.trace.data.SpanData;
import java.net.http.HttpResponse;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.slf4j.LoggerFactory;

/** Unusual and wrong responses of model servers, and what the client gets. */
@Timeout(60)
class HostileUpstreamTest {
  private static final String FUNCTION_CALL =
      "{\"choices\":[{\"index\":0,\"delta\":{\"function_call\":{\"name\":\"f\",\"arguments\":\"{}\"}},\"finish_reason\":\"function_call\"}]}";
  private static final String PIECE =
      "{\"choices\":[{\"index\":%s,\"delta\":{\"content\":\"x\"},\"finish_reason\":%s}]}";

  private static FakeOpenAi cloud;
  private static TestService service;

  @BeforeAll
  static void start() throws Exception {
    cloud = FakeOpenAi.start("cloud-1");
    service =
        TestService.startWith(
                """
                providers:
                  cloud: {type: openai, url: "%s"}
                  hasty: {type: openai, url: "%s", first-token-timeout: 300ms}
                routes:
                  - {name: plain, targets: [{provider: cloud, model: cloud-1}]}
                  - {name: hasty, targets: [{provider: hasty, model: cloud-1}]}
                  - {name: kept, cache: shared, targets: [{provider: cloud, model: cloud-1}]}
                """
                    .formatted(cloud.uri(), cloud.uri()))
            .awaitModel("cloud-1");
  }

  @AfterAll
  static void stop() {
    service.close();
    cloud.close();
  }

  @AfterEach
  void reset() {
    cloud.reset();
    service.ollama().reset();
  }

  private static String body(String model, String fields) {
    return "{\"model\":\"%s\",\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]%s}"
        .formatted(model, fields);
  }

  private static HttpResponse<String> ask(String model, String fields) {
    return service.chat(body(model, fields));
  }

  private static JsonNode json(HttpResponse<String> response) {
    assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
    return TestService.json(response.body());
  }

  @Test
  void theDeprecatedFunctionCallKeepsItsFinishReason() {
    cloud.events(FUNCTION_CALL);

    JsonNode choice = json(ask("plain", "")).at("/choices/0");

    assertThat(choice.path("finish_reason").asText()).isEqualTo("function_call");
    assertThat(choice.at("/message/function_call/name").asText()).isEqualTo("f");
    assertThat(ask("plain", ",\"stream\":true").body())
        .contains("\"finish_reason\":\"function_call\"");
  }

  @Test
  void anInterruptedAnswerIsReportedAsSuchAndNotCached() {
    for (String reason : new String[] {"abort", "content_filter"}) {
      cloud.events(PIECE.formatted("0", "\"" + reason + "\""));
      String question = ",\"temperature\":0,\"stop\":\"%s\"".formatted(reason);

      for (int i = 0; i < 2; i++) {
        HttpResponse<String> response = ask("kept", question);

        assertThat(json(response).at("/choices/0/finish_reason").asText()).isEqualTo(reason);
        assertThat(response.headers().firstValue("x-jarvis-cache")).contains("miss");
      }
    }
  }

  @Test
  void anAnswerWithAFilteredChoiceIsNotCached() {
    cloud.events(PIECE.formatted("0", "\"stop\""), PIECE.formatted("1", "\"content_filter\""));

    for (int i = 0; i < 2; i++) {
      assertThat(ask("kept", ",\"temperature\":0,\"n\":2").headers().firstValue("x-jarvis-cache"))
          .contains("miss");
    }
  }

  @Test
  void aCompleteAnswerNeedsNoDone() {
    cloud.eventsWithoutDone(
        PIECE.formatted("0", "\"stop\""),
        "{\"choices\":[],\"usage\":{\"prompt_tokens\":7,\"completion_tokens\":9}}");

    assertThat(json(ask("plain", "")).at("/usage/total_tokens").asInt()).isEqualTo(16);
    assertThat(ask("plain", ",\"stream\":true").body()).contains("data: [DONE]");
  }

  @Test
  void anIndexThatNoChoiceHasIsAnErrorAndEndsAStreamWithOne() {
    cloud.events(PIECE.formatted("0", "null"), PIECE.formatted("-1", "null"));

    assertThat(ask("plain", "").statusCode()).isEqualTo(502);
    assertThat(ask("plain", ",\"stream\":true").body())
        .containsSubsequence("data: {\"error\":", "model_server_unavailable", "[DONE]");
  }

  @Test
  void theRetryAfterOfABusyServerReachesTheClient() {
    cloud.beBusyFor(17);
    Logger requests = (Logger) LoggerFactory.getLogger("dev.jarvis.request");
    ListAppender<ILoggingEvent> lines = new ListAppender<>();
    lines.start();
    requests.addAppender(lines);
    String id = "busy-1";
    try {
      HttpResponse<String> response = service.chat(body("plain", ""), "x-request-id", id);

      assertThat(response.statusCode()).isEqualTo(429);
      assertThat(response.headers().firstValue("retry-after")).contains("17");
      await().until(() -> !spans(id).isEmpty());
    } finally {
      requests.detachAppender(lines);
    }
    assertThat(spans(id))
        .extracting(it -> it.getStatus().getStatusCode())
        .containsOnly(StatusCode.UNSET);
    assertThat(lines.list)
        .filteredOn(it -> it.getMDCPropertyMap().containsValue(id))
        .isNotEmpty()
        .allSatisfy(it -> assertThat(it.getLevel()).isEqualTo(Level.INFO));
  }

  private static List<SpanData> spans(String requestId) {
    return Recorded.spans("POST /v1/chat/completions").stream()
        .filter(it -> it.getAttributes().asMap().containsValue(requestId))
        .toList();
  }

  @Test
  void vectorsWithoutACountAreEstimated() {
    String text = "x".repeat(40);
    for (String usage : new String[] {"", ",\"usage\":{}", ",\"usage\":{\"prompt_tokens\":-1}"}) {
      cloud.embedWith("{\"data\":[{\"index\":0,\"embedding\":[1]}]%s}".formatted(usage));

      JsonNode answer = json(embed("plain", "\"" + text + "\""));

      assertThat(answer.at("/usage/prompt_tokens").asInt()).isEqualTo(10);
      assertThat(answer.at("/usage/estimated").asBoolean()).isTrue();
    }
    assertThat(json(embed("plain", "[[1, 2, 3]]")).at("/usage/prompt_tokens").asInt())
        .as("tokens need no estimate")
        .isEqualTo(3);
    service.ollama().embedWith("{\"embeddings\": [[0.5]]}");
    assertThat(json(embed("fake:1b", "\"" + text + "\"")).at("/usage/prompt_tokens").asInt())
        .isEqualTo(10);
  }

  @Test
  void malformedVectorsAreAnErrorOfTheModelServer() {
    cloud.embedWith("{\"data\":[null]}");
    assertThat(embed("plain", "\"a\"").statusCode()).isEqualTo(502);
    cloud.embedWith("{\"data\":[{\"index\":0,\"embedding\":null}]}");
    assertThat(embed("plain", "\"a\"").statusCode()).isEqualTo(502);
    service.ollama().embedWith("{\"embeddings\": [null]}");
    assertThat(embed("fake:1b", "\"a\"").statusCode()).isEqualTo(502);
  }

  @Test
  void aNullInPlaceOfAnAnswerIsAnErrorOfTheModelServer() {
    cloud.embedWith("null");
    assertThat(embed("plain", "\"a\"").statusCode()).isEqualTo(502);
    cloud.answer("null");
    assertThat(ask("plain", "").statusCode()).isEqualTo(502);
    service.ollama().embedWith("null");
    assertThat(embed("fake:1b", "\"a\"").statusCode()).isEqualTo(502);
  }

  @Test
  void aWholeAnswerThatIsTooLargeIsNotRequestedAgain() {
    String text = "x".repeat(1 << 20);
    String piece = "{\"index\":0,\"message\":{\"content\":\"%s\"}},".formatted(text);
    cloud.answer("{\"choices\":[%s{}]}".formatted(piece.repeat(16)));

    service.ollama().answerWith("{\"role\":\"assistant\",\"content\":\"%s\"}".formatted(text), 16);

    for (String model : new String[] {"plain", "fake:1b"}) {
      HttpResponse<String> response = ask(model, "");

      assertThat(response.statusCode()).isEqualTo(502);
      assertThat(response.body()).contains("longer than the maximum of 16 MiB");
    }
    assertThat(cloud.requests()).isEqualTo(1);
    assertThat(service.ollama().requests()).isEqualTo(1);
  }

  @Test
  void aLargeImageReachesTheClient() {
    String image = "x".repeat(3 << 20);
    cloud.events(
        "{\"choices\":[{\"index\":0,\"delta\":{\"images\":[{\"url\":\"%s\"}]},\"finish_reason\":\"stop\"}]}"
            .formatted(image));

    assertThat(json(ask("plain", "")).at("/choices/0/message/images/0/url").asText())
        .isEqualTo(image);
    assertThat(ask("plain", ",\"stream\":true").body()).contains(image, "data: [DONE]");
  }

  @Test
  void anEventThatIsTooLargeNamesTheLimitAndIsNotRequestedAgain() {
    cloud.events("{\"x\":\"" + "x".repeat(17 << 20) + "\"}");

    HttpResponse<String> response = ask("plain", ",\"stream\":true");

    assertThat(response.statusCode()).isEqualTo(502);
    assertThat(response.body()).contains("event is longer than the maximum of 16 MiB");
    assertThat(cloud.requests()).isEqualTo(1);
  }

  @Test
  void aServerThatHangsWithinVectorsIsATimeoutThatIsNotRetried() {
    cloud.hangInsideEmbeddings();
    String tokens = "llm_tokens_total{model=\"cloud-1\",provider=\"hasty\",type=\"input\"}";
    double before = service.metric(tokens);

    HttpResponse<String> response = embed("hasty", "\"" + "x".repeat(40) + "\"");

    assertThat(response.statusCode()).as(response.body()).isEqualTo(504);
    assertThat(cloud.requests()).isEqualTo(1);
    assertThat(service.metric(tokens)).isEqualTo(before + 10);
  }

  private static HttpResponse<String> embed(String model, String input) {
    return service.post(
        "/v1/embeddings", "{\"model\":\"%s\",\"input\":%s}".formatted(model, input));
  }

  @Test
  void urlsInMessagesAreChecked() {
    HttpResponse<String> response =
        service.chat(
            """
            {"model": "plain", "messages": [{"role": "user", "content": [
              {"type": "image_url", "image_url": {"url": "http://169.254.169.254/latest/meta-data/"}}]}]}""");

    assertThat(response.statusCode()).isEqualTo(400);
    JsonNode error = TestService.json(response.body()).path("error");
    assertThat(error.path("param").asText()).isEqualTo("messages[0].content[0].image_url.url");
    assertThat(error.path("code").asText()).isEqualTo("content_url_refused");
    assertThat(cloud.requests()).isZero();
  }
}
