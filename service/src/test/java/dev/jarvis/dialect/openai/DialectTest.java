package dev.jarvis.dialect.openai;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jarvis.TestService;
import dev.jarvis.provider.openai.FakeOpenAi;
import java.net.http.HttpResponse;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Tools, formats, images and other fields, as model servers receive them and clients get them back.
 */
@Timeout(60)
class DialectTest {
  private static final String CLOUD = "cloud-1";
  private static final String OLLAMA = "fake:1b";
  private static final String TOOLS =
      """
      "tools": [{"type": "function", "function": {"name": "weather", "parameters":
        {"type": "object", "properties": {"city": {"type": "string"}}}}}]""";

  private static FakeOpenAi cloud;
  private static TestService service;

  @BeforeAll
  static void start() throws Exception {
    cloud = FakeOpenAi.start(CLOUD);
    service =
        TestService.startWith(
                "providers:\n  cloud:\n    type: openai\n    url: %s\n".formatted(cloud.uri()))
            .awaitModel(CLOUD);
  }

  @AfterAll
  static void stop() {
    service.close();
    cloud.close();
  }

  @AfterEach
  void reset() {
    service.ollama().reset();
  }

  private static HttpResponse<String> ask(String model, String fields) {
    return askWith(model, "{\"role\": \"user\", \"content\": \"hi\"}", fields);
  }

  private static HttpResponse<String> askWith(String model, String messages, String fields) {
    return service.chat(
        "{\"model\": \"%s\", \"messages\": [%s], %s}".formatted(model, messages, fields));
  }

  private static JsonNode json(HttpResponse<String> response) {
    assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
    return TestService.json(response.body());
  }

  private static List<JsonNode> events(HttpResponse<String> response) {
    return response
        .body()
        .lines()
        .filter(it -> it.startsWith("data: {"))
        .map(it -> TestService.json(it.substring(6)))
        .toList();
  }

  @Test
  void anOpenAiServerReceivesWhatTheClientSent() {
    cloud.events("{\"choices\":[{\"index\":0,\"delta\":{\"content\":\"ok\"}}]}");
    String fields =
        TOOLS
            + """
            , "tool_choice": "required", "n": 2, "logprobs": true, "top_logprobs": 3, "top_k": 5,
            "response_format": {"type": "json_schema", "json_schema":
              {"name": "x", "strict": true, "schema": {"type": "object"}}},
            "reasoning_effort": "low", "logit_bias": {"1": -100}, "metadata": {"a": "b"}""";
    String messages =
        """
        {"role": "developer", "content": "be brief", "name": "me"},
        {"role": "user", "content": [{"type": "text", "text": "what?"},
          {"type": "image_url", "image_url": {"url": "https://8.8.8.8/x.png", "detail": "low"}}]},
        {"role": "assistant", "content": null, "tool_calls": [{"id": "c1", "type": "function",
          "function": {"name": "weather", "arguments": "{}"}}]},
        {"role": "tool", "tool_call_id": "c1", "content": "sun"}""";

    HttpResponse<String> response = askWith(CLOUD, messages, fields);

    assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
    assertThat(response.headers().firstValue("x-jarvis-ignored")).isEmpty();
    ObjectNode sent =
        (ObjectNode) TestService.json("{\"messages\": [" + messages + "]," + fields + "}");
    sent.put("model", CLOUD).put("stream", false);
    assertThat(TestService.json(cloud.lastBody())).as("whole is asked as whole").isEqualTo(sent);

    askWith(CLOUD, messages, fields + ", \"stream\": true");

    sent.put("stream", true).putObject("stream_options").put("include_usage", true);
    assertThat(TestService.json(cloud.lastBody())).as("stream as stream").isEqualTo(sent);
  }

  private static void cloudCallsTwoTools() {
    cloud.events(
        """
        {"choices":[{"index":0,"delta":{"role":"assistant","content":null,"tool_calls":\
        [{"index":0,"id":"c1","type":"function","function":{"name":"weather","arguments":""}}]}}]}""",
        """
        {"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{\\"ci"}}]}}]}""",
        """
        {"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"ty\\":1}"}}]}}]}""",
        """
        {"choices":[{"index":0,"delta":{"tool_calls":\
        [{"index":1,"id":"c2","type":"function","function":{"name":"time","arguments":"{}"}}]}}]}""",
        "{\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"tool_calls\"}]}",
        "{\"choices\":[],\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":8,\"prompt_tokens_details\":{\"cached_tokens\":4}}}");
  }

  @Test
  void toolCallsAreAssembled() {
    cloudCallsTwoTools();
    String cached = "llm_tokens_total{model=\"cloud-1\",provider=\"cloud\",type=\"%s\"}";
    double fresh = service.metric(cached.formatted("input"));
    double before = service.metric(cached.formatted("cached_input"));

    JsonNode answer = json(ask(CLOUD, TOOLS));

    JsonNode choice = answer.at("/choices/0");
    assertThat(choice.path("finish_reason").asText()).isEqualTo("tool_calls");
    assertThat(choice.at("/message/content").isNull()).isTrue();
    assertThat(choice.at("/message/tool_calls"))
        .isEqualTo(
            TestService.json(
                """
                [{"id":"c1","type":"function","function":{"name":"weather","arguments":"{\\"city\\":1}"}},
                 {"id":"c2","type":"function","function":{"name":"time","arguments":"{}"}}]"""));
    assertThat(answer.at("/usage/prompt_tokens").asInt()).isEqualTo(9);
    assertThat(answer.at("/usage/prompt_tokens_details/cached_tokens").asInt()).isEqualTo(4);
    assertThat(service.metric(cached.formatted("input"))).isEqualTo(fresh + 5);
    assertThat(service.metric(cached.formatted("cached_input"))).isEqualTo(before + 4);
  }

  @Test
  void toolCallsAreStreamed() {
    cloudCallsTwoTools();

    List<JsonNode> events = events(ask(CLOUD, TOOLS + ", \"stream\": true"));

    assertThat(events.getFirst().at("/choices/0/delta/role").asText()).isEqualTo("assistant");
    assertThat(events)
        .extracting(it -> it.at("/choices/0/delta/tool_calls/0/function/arguments").asText())
        .contains("{\"ci", "ty\":1}");
    assertThat(events.getLast().at("/choices/0/finish_reason").asText()).isEqualTo("tool_calls");
  }

  @Test
  void severalChoicesAndTheirLogprobsAreKeptApart() {
    cloud.events(
        """
        {"choices":[{"index":0,"delta":{"content":"a"},"logprobs":{"content":[{"token":"a","logprob":-1}]}},\
        {"index":1,"delta":{"content":"x"}}]}""",
        """
        {"choices":[{"index":0,"delta":{"content":"b"},"logprobs":{"content":[{"token":"b","logprob":-2}]}}]}""",
        "{\"choices\":[{\"index\":1,\"delta\":{},\"finish_reason\":\"length\"}]}",
        "{\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}");

    JsonNode whole = json(ask(CLOUD, "\"n\": 2, \"logprobs\": true"));

    assertThat(whole.at("/choices/0/message/content").asText()).isEqualTo("ab");
    assertThat(whole.at("/choices/1/message/content").asText()).isEqualTo("x");
    assertThat(whole.at("/choices/1/finish_reason").asText()).isEqualTo("length");
    assertThat(whole.at("/choices/0/logprobs/content")).hasSize(2);
    assertThat(whole.at("/choices/1/logprobs").isNull()).isTrue();
    assertThat(whole.at("/usage/estimated").asBoolean())
        .as("the server reported no usage")
        .isTrue();

    List<JsonNode> events = events(ask(CLOUD, "\"n\": 2, \"logprobs\": true, \"stream\": true"));
    assertThat(events)
        .filteredOn(it -> it.at("/choices/0/delta").has("role"))
        .extracting(it -> it.at("/choices/0/index").asInt())
        .containsExactly(0, 1);
    assertThat(events).filteredOn(it -> it.at("/choices/0/logprobs").isObject()).hasSize(2);
  }

  @Test
  void ollamaReceivesToolsFormatsAndImagesInItsOwnForm() {
    String messages =
        """
        {"role": "user", "content": [{"type": "text", "text": "what?"},
          {"type": "image_url", "image_url": {"url": "data:image/png;base64,aGk="}}]},
        {"role": "assistant", "tool_calls": [{"id": "c1", "type": "function",
          "function": {"name": "weather", "arguments": "{\\"city\\":\\"Rome\\"}"}}]},
        {"role": "tool", "tool_call_id": "c1", "content": "sun"}""";
    String fields =
        TOOLS
            + """
            , "response_format": {"type": "json_schema", "json_schema":
              {"name": "x", "schema": {"type": "object"}}}, "presence_penalty": 1""";

    HttpResponse<String> response = askWith(OLLAMA, messages, fields);

    assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
    JsonNode sent = TestService.json(service.ollama().lastBody());
    assertThat(sent.path("tools")).isEqualTo(TestService.json("{" + TOOLS + "}").path("tools"));
    assertThat(sent.path("format")).isEqualTo(TestService.json("{\"type\":\"object\"}"));
    assertThat(sent.at("/options/presence_penalty").asInt()).isEqualTo(1);
    assertThat(sent.path("messages"))
        .isEqualTo(
            TestService.json(
                """
                [{"role":"user","content":"what?","images":["aGk="]},
                 {"role":"assistant","content":"",
                  "tool_calls":[{"function":{"name":"weather","arguments":{"city":"Rome"}}}]},
                 {"role":"tool","content":"sun","tool_name":"weather"}]"""));
  }

  @Test
  void ollamasToolCallsAndReasoningAreReturnedInOpenAisForm() {
    service
        .ollama()
        .answerWith(
            """
            {"role":"assistant","content":"","thinking":"hm","tool_calls":\
            [{"function":{"name":"weather","arguments":{"city":"Rome"}}},\
            {"function":{"name":"time","arguments":{}}}]}""");

    JsonNode choice = json(ask(OLLAMA, TOOLS)).at("/choices/0");

    assertThat(choice.path("finish_reason").asText()).isEqualTo("tool_calls");
    assertThat(choice.at("/message/content").isNull()).isTrue();
    assertThat(choice.at("/message/reasoning_content").asText()).isEqualTo("hm");
    JsonNode calls = choice.at("/message/tool_calls");
    assertThat(calls).hasSize(2);
    assertThat(calls.at("/0/id").asText())
        .startsWith("call_")
        .isNotEqualTo(calls.at("/1/id").asText());
    assertThat(calls.at("/0/type").asText()).isEqualTo("function");
    assertThat(calls.at("/0/function/arguments").asText()).isEqualTo("{\"city\":\"Rome\"}");
  }

  @Test
  void unsupportedFieldsAreRefusedByName() {
    for (String field :
        List.of(
            "\"n\": 2",
            "\"logprobs\": true",
            "\"logit_bias\": {\"1\": 1}",
            TOOLS + ", \"tool_choice\": \"required\"",
            "\"modalities\": [\"audio\"]")) {
      HttpResponse<String> response = ask(OLLAMA, field);

      assertThat(response.statusCode()).as(field).isEqualTo(400);
      JsonNode error = TestService.json(response.body()).path("error");
      assertThat(error.path("code").asText()).isEqualTo("unsupported_field");
      assertThat(field).contains("\"" + error.path("param").asText() + "\"");
      assertThat(error.path("message").asText()).contains("(ollama)");
    }
    assertThat(
            askWith(
                    OLLAMA,
                    """
                    {"role": "user", "content": [
                      {"type": "image_url", "image_url": {"url": "https://8.8.8.8/x.png"}}]}""",
                    "\"n\": 1")
                .statusCode())
        .as("JARVIS fetches nothing that a client names")
        .isEqualTo(400);
    assertThat(service.ollama().requests()).isZero();
  }

  @Test
  void ignoredFieldsAreListedInAHeader() {
    HttpResponse<String> response =
        ask(
            OLLAMA,
            "\"reasoning_effort\": \"low\", \"best_of\": 5, \"a\\r\\nb\": 1, \"store\": false, \"n\": 1, \"tools\": [], \"service_tier\": null");

    assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
    assertThat(response.headers().firstValue("x-jarvis-ignored"))
        .contains("reasoning_effort, best_of, store");
  }

  @Test
  void theDecisionListsUnsupportedFields() {
    HttpResponse<String> response =
        service.post(
            "/v1/routing/explain",
            "{\"model\": \"%s\", \"n\": 2, \"store\": true}".formatted(OLLAMA));

    JsonNode target = json(response).at("/targets/0");
    assertThat(target.path("reason").asText()).isEqualTo("unsupported");
    assertThat(target.path("chosen").asBoolean()).isFalse();
    assertThat(target.at("/unsupported/0").asText()).isEqualTo("n");
    assertThat(target.at("/ignored/0").asText()).isEqualTo("store");
  }
}
