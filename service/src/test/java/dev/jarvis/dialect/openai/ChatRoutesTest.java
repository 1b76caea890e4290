package dev.jarvis.dialect.openai;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import dev.jarvis.TestService;
import dev.jarvis.provider.ollama.FakeOllama;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Answers and their failures, with a model server that each test scripts. */
class ChatRoutesTest {
  private static TestService service;
  private static FakeOllama ollama;

  @BeforeAll
  static void start() throws Exception {
    service = TestService.start(Map.of());
    ollama = service.ollama();
  }

  @AfterAll
  static void stop() {
    service.close();
  }

  @BeforeEach
  void reset() {
    ollama.reset();
  }

  private static String body(String more) {
    return "{\"model\":\"%s\",\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]%s}"
        .formatted(ollama.model(), more);
  }

  private double brokenResponses() {
    return service.metric("http_responses_broken_total{route=\"/v1/chat/completions\"}");
  }

  private static double requests(String outcome) {
    return service.metric(
        "llm_requests_total{model=\"%s\",outcome=\"%s\",provider=\"ollama\"}"
            .formatted(ollama.model(), outcome));
  }

  @Test
  void aWholeAnswerHasOpenAisShapeAndTheServersOwnCount() {
    double before = requests("ok");
    HttpResponse<String> response = service.chat(body(""));

    assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
    JsonNode answer = TestService.json(response.body());
    assertThat(answer.path("id").asText()).startsWith("chatcmpl-");
    assertThat(answer.path("object").asText()).isEqualTo("chat.completion");
    assertThat(answer.at("/choices/0/message/content").asText()).isEqualTo(ollama.answer());
    assertThat(answer.at("/choices/0/finish_reason").asText()).isEqualTo("stop");
    assertThat(answer.at("/usage/prompt_tokens").asInt()).isEqualTo(ollama.inputTokens());
    assertThat(answer.at("/usage/completion_tokens").asInt()).isEqualTo(ollama.outputTokens());
    assertThat(requests("ok")).isEqualTo(before + 1);
  }

  @Test
  void ollamasTimingsAreRecorded() {
    String coldLoads =
        "ollama_cold_loads_total{model=\"%s\",provider=\"ollama\"}".formatted(ollama.model());
    assertThat(service.get("/metrics").body()).contains(coldLoads);
    double before = service.metric(coldLoads);

    service.chat(body(""));
    assertThat(service.metric(coldLoads)).isEqualTo(before);
    ollama.reportDurations(4000, 50, 300);
    service.chat(body(",\"stream\":true"));

    assertThat(service.metric(coldLoads)).isEqualTo(before + 1);
    assertThat(
            service.metric(
                "ollama_load_duration_seconds_count{model=\"%s\",provider=\"ollama\"}"
                    .formatted(ollama.model())))
        .isGreaterThanOrEqualTo(2);
    assertThat(service.get("/metrics").body())
        .contains("ollama_resident_models{provider=\"ollama\"} 0")
        .contains(
            "ollama_resident_model_memory_bytes{kind=\"vram\",model=\"%s\",provider=\"ollama\"} 0"
                .formatted(ollama.model()));
  }

  @Test
  void parametersReachTheModelServer() {
    service.chat(
        body(
            ",\"temperature\":0.5,\"top_p\":0.9,\"max_tokens\":7,\"stop\":[\"x\",\"y\"],\"seed\":3,\"unknown_field\":1"),
        "traceparent",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");

    JsonNode sent = TestService.json(ollama.lastBody());
    assertThat(sent.at("/options/temperature").asDouble()).isEqualTo(0.5);
    assertThat(sent.at("/options/top_p").asDouble()).isEqualTo(0.9);
    assertThat(sent.at("/options/num_predict").asInt()).isEqualTo(7);
    assertThat(sent.at("/options/stop")).hasSize(2);
    assertThat(sent.at("/options/seed").asInt()).isEqualTo(3);
    assertThat(ollama.lastHeader("traceparent"))
        .startsWith("00-4bf92f3577b34da6a3ce929d0e0e4736-")
        .doesNotContain("00f067aa0ba902b7");
  }

  @Test
  void aStreamHasSeveralChunksAndEndsWithDone() {
    HttpResponse<String> response =
        service.chat(body(",\"stream\":true,\"stream_options\":{\"include_usage\":true}"));

    assertThat(response.headers().firstValue("Content-Type")).contains("text/event-stream");
    List<String> events =
        response.body().lines().filter(it -> !it.isEmpty()).map(it -> it.substring(6)).toList();
    assertThat(events.getLast()).isEqualTo("[DONE]");
    List<JsonNode> chunks =
        events.subList(0, events.size() - 1).stream().map(TestService::json).toList();
    assertThat(chunks.getFirst().at("/choices/0/delta/role").asText()).isEqualTo("assistant");
    String text =
        chunks.stream()
            .map(it -> it.at("/choices/0/delta/content").asText(""))
            .reduce("", String::concat);
    assertThat(text).isEqualTo(ollama.answer());
    assertThat(chunks.get(chunks.size() - 2).at("/choices/0/finish_reason").asText())
        .isEqualTo("stop");
    assertThat(chunks.getLast().path("choices")).isEmpty();
    assertThat(chunks.getLast().at("/usage/completion_tokens").asInt())
        .isEqualTo(ollama.outputTokens());
  }

  @Test
  void withoutTheOptionNoChunkHasTheUsage() {
    assertThat(service.chat(body(",\"stream\":true")).body()).doesNotContain("\"usage\"");
  }

  @Test
  void piecesArriveAsTheyAreProduced() throws Exception {
    ollama.hold();
    try (Socket socket = open(body(",\"stream\":true"))) {
      InputStream in = socket.getInputStream();
      readUntil(in, "\"content\":\"Hello");
      readUntil(in, "\"content\":\","); // the model pauses here
      ollama.release();
      readUntil(in, "[DONE]");
    }
  }

  @Test
  void aModelServerThatRefusesIsABadGatewayWithoutItsAddress() {
    ollama.failWith(500);
    double broken = brokenResponses();
    double before = requests("error");

    HttpResponse<String> response = service.chat(body(""));

    assertThat(response.statusCode()).isEqualTo(502);
    assertThat(response.body())
        .contains("model_server_unavailable", "request_id")
        .doesNotContain("127.0.0.1");
    assertThat(requests("error")).isEqualTo(before + 1);
    assertThat(brokenResponses()).as("its status reports the error").isEqualTo(broken);
  }

  @Test
  void aModelServerThatIsTooSlowIsAGatewayTimeout() throws Exception {
    try (TestService hasty =
        TestService.start(Map.of("JARVIS_OLLAMA_FIRST_TOKEN_TIMEOUT", "500ms"))) {
      hasty.awaitModel(ollama.model()).ollama().stallBeforeFirstPiece();

      HttpResponse<String> response = hasty.chat(body(",\"stream\":true"));

      assertThat(response.statusCode()).isEqualTo(504);
      assertThat(response.body()).contains("model_server_timeout");
    }
  }

  @Test
  void anInterruptedStreamEndsWithAnErrorEventAndCountsAsError() {
    ollama.breakMidStream();
    double before = requests("error");
    double broken = brokenResponses();

    HttpResponse<String> response = service.chat(body(",\"stream\":true"));

    assertThat(response.statusCode()).isEqualTo(200);
    assertThat(response.body()).contains("data: {\"error\":").endsWith("}\n\ndata: [DONE]\n\n");
    assertThat(requests("error")).isEqualTo(before + 1);
    assertThat(brokenResponses()).isEqualTo(broken + 1);
  }

  @Test
  void aStreamThatStallsEndsWithAnErrorEvent() throws Exception {
    try (TestService hasty =
        TestService.start(Map.of("JARVIS_OLLAMA_BETWEEN_TOKENS_TIMEOUT", "500ms"))) {
      hasty.awaitModel(ollama.model()).ollama().stallMidStream();

      HttpResponse<String> response = hasty.chat(body(",\"stream\":true"));

      assertThat(response.body()).contains("model_server_timeout").endsWith("data: [DONE]\n\n");
    }
  }

  @Test
  void aClientThatDisconnectsCancelsTheGenerationAndIsCounted() throws Exception {
    ollama.endless();
    double before = requests("aborted");
    try (Socket socket = open(body(",\"stream\":true"))) {
      readUntil(socket.getInputStream(), "\"content\":\"");
      socket.setSoLinger(true, 0);
    }

    await().atMost(Duration.ofSeconds(20)).until(() -> requests("aborted") == before + 1);
    await().atMost(Duration.ofSeconds(20)).until(ollama::clientGone);
    assertThat(
            service.metric(
                "http_requests_total{method=\"POST\",route=\"/v1/chat/completions\",status=\"499\"}"))
        .isGreaterThanOrEqualTo(1);
  }

  @Test
  void modelsAreListedAndRetrieved() {
    JsonNode list = TestService.json(service.get("/v1/models").body());

    assertThat(list.path("object").asText()).isEqualTo("list");
    assertThat(list.path("data").findValuesAsText("id")).contains(ollama.model());
    JsonNode one = TestService.json(service.get("/v1/models/" + ollama.model()).body());
    assertThat(one.path("owned_by").asText()).isEqualTo("ollama");
    assertThat(service.get("/v1/models/no/such").statusCode()).isEqualTo(404);
  }

  private static Socket open(String body) throws Exception {
    Socket socket = new Socket(InetAddress.getLoopbackAddress(), service.port());
    socket.setSoTimeout(20_000);
    String request =
        "POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Length: %d\r\n\r\n%s"
            .formatted(TestService.KEY, body.length(), body);
    socket.getOutputStream().write(request.getBytes(StandardCharsets.UTF_8));
    return socket;
  }

  private static void readUntil(InputStream in, String mark) throws Exception {
    StringBuilder text = new StringBuilder();
    while (text.indexOf(mark) < 0) {
      int next = in.read();
      assertThat(next).as("ended before %s: %s", mark, text).isNotNegative();
      text.append((char) next);
    }
  }
}
