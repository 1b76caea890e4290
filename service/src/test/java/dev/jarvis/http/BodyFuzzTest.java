package dev.jarvis.http;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.jarvis.TestService;
import dev.jarvis.fuzz.Fuzz;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Mutated bodies of requests: every one is answered, or refused with an error of the API. */
@Timeout(600)
class BodyFuzzTest {
  private static final String CHAT =
      """
      {"model":"nowhere","messages":[{"role":"system","content":"be brief"},{"role":"user","content":[{"type":"text","text":"Grüße"},
      {"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA"}}]},{"role":"assistant","tool_calls":[{"id":"c","type":"function",
      "function":{"name":"f","arguments":"{}"}}]},{"role":"tool","tool_call_id":"c","content":"1"}],"temperature":0.5,"n":1,"stop":["x"],
      "max_tokens":5,"seed":1,"user":"u","stream":false,"stream_options":{"include_usage":true},"logit_bias":{"5":1},"metadata":{"a":"b"},
      "tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object","properties":{}}}}],"tool_choice":"auto",
      "response_format":{"type":"json_schema","json_schema":{"name":"s","schema":{"type":"object"}}}}
      """;
  private static final String EMBEDDING =
      "{\"model\":\"nowhere\",\"input\":[\"a\",\"b\"],\"dimensions\":4,\"encoding_format\":\"float\"}";

  private final TestService service = TestService.shared();

  @Test
  void chatsAreAnsweredOrRefused() {
    Fuzz.runSome(List.of(CHAT), 5, (input, random) -> check("/v1/chat/completions", input));
  }

  @Test
  void embeddingsAreAnsweredOrRefused() {
    Fuzz.runSome(List.of(EMBEDDING), 15, (input, random) -> check("/v1/embeddings", input));
  }

  private void check(String path, byte[] body) {
    HttpResponse<String> response =
        service.send(
            service.request(path).POST(HttpRequest.BodyPublishers.ofByteArray(body)).build());

    assertThat(response.statusCode()).as(response.body()).isBetween(200, 499);
    JsonNode json = TestService.json(response.body());
    if (response.statusCode() != 200) {
      assertThat(json.path("error").path("message").asText()).isNotBlank();
    }
  }
}
