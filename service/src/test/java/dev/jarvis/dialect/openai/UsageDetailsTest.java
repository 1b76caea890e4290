package dev.jarvis.dialect.openai;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import dev.jarvis.TestService;
import dev.jarvis.provider.openai.FakeOpenAi;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Fields beside the answer that an OpenAI-compatible server sends, and their way to the client. */
@Timeout(60)
class UsageDetailsTest {
  private static final String USAGE =
      """
      {"prompt_tokens": 20, "completion_tokens": 30, "total_tokens": 50,
       "prompt_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 2, "audio_tokens": 3},
       "completion_tokens_details": {"reasoning_tokens": 12, "audio_tokens": 5,
         "accepted_prediction_tokens": 1, "rejected_prediction_tokens": 2}}""";
  private static final String OF_ANSWER =
      "\"service_tier\": \"flex\", \"system_fingerprint\": \"fp_44709d6fcb\"";

  private static FakeOpenAi cloud;
  private static TestService service;

  @BeforeAll
  static void start() throws Exception {
    cloud = FakeOpenAi.start("cloud-1");
    cloud.events(
        "{%s, \"choices\": [{\"index\": 0, \"delta\": {\"content\": \"ok\"}}]}"
            .formatted(OF_ANSWER),
        "{%s, \"choices\": [{\"index\": 0, \"delta\": {}, \"finish_reason\": \"stop\"}]}"
            .formatted(OF_ANSWER),
        "{%s, \"choices\": [], \"usage\": %s}".formatted(OF_ANSWER, USAGE.replace("\n", " ")));
    service =
        TestService.startWith(
                """
                providers:
                  cloud: {type: openai, url: "%s"}
                routes:
                  - {name: kept, cache: shared, targets: [{provider: cloud, model: cloud-1}]}
                """
                    .formatted(cloud.uri()))
            .awaitModel("cloud-1");
  }

  @AfterAll
  static void stop() {
    service.close();
    cloud.close();
  }

  private static HttpResponse<String> ask(String model, boolean stream, String id) {
    HttpResponse<String> response =
        service.chat(
            """
            {"model": "%s", "temperature": 0, "stream": %s, %s
             "messages": [{"role": "user", "content": "hi"}]}"""
                .formatted(
                    model, stream, stream ? "\"stream_options\": {\"include_usage\": true}," : ""),
            "x-request-id",
            id);
    assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
    return response;
  }

  /** The whole answer, or the chunk with the usage. */
  private static JsonNode reported(HttpResponse<String> response, boolean stream) {
    if (!stream) {
      return TestService.json(response.body());
    }
    List<JsonNode> chunks =
        response
            .body()
            .lines()
            .filter(it -> it.startsWith("data: {"))
            .map(it -> TestService.json(it.substring(6)))
            .toList();
    assertThat(chunks)
        .as("each chunk")
        .allSatisfy(
            it -> assertThat(it.path("system_fingerprint").asText()).isEqualTo("fp_44709d6fcb"));
    return chunks.getLast();
  }

  private static void assertReported(JsonNode answer) {
    assertThat(answer.path("usage")).isEqualTo(TestService.json(USAGE));
    assertThat(answer.path("service_tier").asText()).isEqualTo("flex");
    assertThat(answer.path("system_fingerprint").asText()).isEqualTo("fp_44709d6fcb");
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void reachesTheClientAndTheLedger(boolean stream) throws Exception {
    assertReported(reported(ask("cloud-1", stream, "details-" + stream), stream));

    String query = "SELECT * FROM ledger_entries WHERE request_id = 'details-%s'".formatted(stream);
    await().atMost(Duration.ofSeconds(20)).until(() -> service.database().rows(query).size() == 1);
    Map<String, String> row = service.database().rows(query).getFirst();
    assertThat(row)
        .containsEntry("input_tokens", "11")
        .containsEntry("cached_input_tokens", "4")
        .containsEntry("cache_write_tokens", "2")
        .containsEntry("audio_input_tokens", "3")
        .containsEntry("output_tokens", "13")
        .containsEntry("reasoning_tokens", "12")
        .containsEntry("audio_output_tokens", "5")
        .containsEntry("estimated", "f");
  }

  @ParameterizedTest
  @CsvSource({
    "input, 11",
    "cached_input, 4",
    "cache_write, 2",
    "audio_input, 3",
    "output, 13",
    "reasoning, 12",
    "audio_output, 5"
  })
  void countsEachKindOfTokens(String kind, double tokens) {
    String series =
        "llm_tokens_total{model=\"cloud-1\",provider=\"cloud\",type=\"%s\"}".formatted(kind);
    assertThat(service.get("/metrics").body()).as("from the start").contains(series);
    double before = service.metric(series);

    ask("cloud-1", false, "counted-" + kind);

    await()
        .atMost(Duration.ofSeconds(20))
        .untilAsserted(() -> assertThat(service.metric(series) - before).isEqualTo(tokens));
  }

  @Test
  void isKeptWithACachedAnswer() {
    ask("kept", false, "first");

    HttpResponse<String> again = ask("kept", false, "second");
    HttpResponse<String> stream = ask("kept", true, "third");

    assertThat(again.headers().firstValue("x-jarvis-cache")).contains("hit");
    assertReported(reported(again, false));
    assertThat(stream.headers().firstValue("x-jarvis-cache")).contains("hit");
    assertReported(reported(stream, true));
  }
}
