package dev.jarvis.dialect.openai;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.jarvis.TestService;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ChatErrorsTest {
  private static final String MESSAGES = "\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]";
  private final TestService service = TestService.shared();

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '\0',
      value = {
        "                                                                | null               | no body",
        "{\"model\":                                                     | null               | not valid JSON",
        "{\"model\":\"a\",\"model\":\"b\"}                               | null               | Duplicate",
        "{} {}                                                           | null               | not valid JSON",
        "[]                                                              | null               | must be a JSON object",
        "{\"messages\":[]}                                               | model              | is required",
        "{\"model\":1,MESSAGES}                                          | model              | must be a string",
        "{\"model\":\"m\"}                                               | messages           | at least one",
        "{\"model\":\"m\",\"messages\":[]}                               | messages           | at least one",
        "{\"model\":\"m\",\"messages\":[1]}                              | messages[0]        | must be an object",
        "{\"model\":\"m\",\"messages\":[{\"role\":\"bot\",\"content\":\"\"}]} | messages[0].role | system, developer, user, assistant or tool",
        "{\"model\":\"m\",\"messages\":[{\"role\":\"user\"}]}            | messages[0].content | string or an array",
        "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"image_url\"}]}]} | messages[0].content[0].image_url | must be an object",
        "{\"model\":\"m\",\"messages\":[{\"role\":\"assistant\",\"content\":\"\",\"tool_calls\":[{}]}]} | messages[0].tool_calls[0].id | is required",
        "{\"model\":\"m\",MESSAGES,\"temperature\":3}                    | temperature        | from 0 to 2",
        "{\"model\":\"m\",MESSAGES,\"temperature\":\"1\"}                | temperature        | number",
        "{\"model\":\"m\",MESSAGES,\"top_p\":-1}                         | top_p              | from 0 to 1",
        "{\"model\":\"m\",MESSAGES,\"max_tokens\":0}                     | max_tokens         | whole number",
        "{\"model\":\"m\",MESSAGES,\"max_tokens\":1,\"max_completion_tokens\":2} | max_tokens | differ",
        "{\"model\":\"m\",MESSAGES,\"seed\":1.5}                         | seed               | whole number",
        "{\"model\":\"m\",MESSAGES,\"stop\":[\"\"]}                      | stop               | up to four",
        "{\"model\":\"m\",MESSAGES,\"stop\":7}                           | stop               | up to four",
        "{\"model\":\"m\",MESSAGES,\"stream\":\"yes\"}                   | stream             | true or false",
        "{\"model\":\"m\",MESSAGES,\"stream_options\":{}}                | stream_options     | only when",
        "{\"model\":\"m\",MESSAGES,\"stream\":true,\"stream_options\":{\"include_usage\":1}} | stream_options.include_usage | true or false",
        "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"input_audio\"}]}]} | messages[0].content[0].type | text or image_url",
        "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"image_url\",\"image_url\":{\"url\":\"file:///etc/passwd\"}}]}]} | messages[0].content[0].image_url.url | http or https",
        "{\"model\":\"m\",\"messages\":[{\"role\":\"tool\",\"content\":\"\"}]} | messages[0].tool_call_id | is required",
        "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"\",\"tool_calls\":[{}]}]} | messages[0].tool_calls | role is assistant",
        "{\"model\":\"m\",MESSAGES,\"max_tokens\":999999}                | max_tokens         | from 1 to 131072",
        "{\"model\":\"m\",MESSAGES,\"n\":0}                              | n                  | from 1 to 128",
        "{\"model\":\"m\",MESSAGES,\"top_logprobs\":2}                   | top_logprobs       | only when",
        "{\"model\":\"m\",MESSAGES,\"tools\":{}}                         | tools              | must be an array",
        "{\"model\":\"m\",MESSAGES,\"tools\":[{\"type\":\"custom\"}]}    | tools[0].type      | one of function",
        "{\"model\":\"m\",MESSAGES,\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"a b\"}}]} | tools[0].function.name | letters, digits",
        "{\"model\":\"m\",MESSAGES,\"tool_choice\":\"required\"}         | tool_choice        | only where there are 'tools'",
        "{\"model\":\"m\",MESSAGES,\"response_format\":{\"type\":\"xml\"}} | response_format.type | json_schema",
        "{\"model\":\"m\",MESSAGES,\"response_format\":{\"type\":\"json_schema\"}} | response_format.json_schema | must be an object",
      })
  void wrongBodiesGetAnErrorThatNamesTheFieldAndTheRule(String body, String param, String words) {
    String sent = body == null ? "" : body.replace("MESSAGES", MESSAGES);

    HttpResponse<String> response = service.chat(sent);

    assertThat(response.statusCode()).isEqualTo(400);
    JsonNode error = error(response);
    assertThat(error.path("type").asText()).isEqualTo("invalid_request_error");
    assertThat(error.path("param").asText()).isEqualTo(param);
    assertThat(error.path("message").asText()).contains(words);
  }

  @Test
  void bytesThatAreNoUtf8AreRefused() {
    byte[] body = {'{', '"', (byte) 0xC3, (byte) 0x28, '"', '}'};
    HttpResponse<String> response =
        service.send(
            service.request("/v1/chat/completions").POST(BodyPublishers.ofByteArray(body)).build());

    assertThat(response.statusCode()).isEqualTo(400);
    assertThat(error(response).path("message").asText()).contains("UTF-8");
  }

  @Test
  void deepNestingIsRefused() {
    HttpResponse<String> response = service.chat("{\"a\":" + "[".repeat(10_000));

    assertThat(response.statusCode()).isEqualTo(400);
    assertThat(error(response).path("message").asText()).contains("64 levels");
  }

  @Test
  void bodiesBeyondTheLimitAreRefusedWhetherTheirLengthIsToldOrNot() {
    byte[] large = new byte[4_194_305];
    HttpResponse<String> told =
        service.send(
            service
                .request("/v1/chat/completions")
                .POST(BodyPublishers.ofByteArray(large))
                .build());
    HttpResponse<String> chunked =
        service.send(
            service
                .request("/v1/chat/completions")
                .POST(BodyPublishers.ofInputStream(() -> new java.io.ByteArrayInputStream(large)))
                .build());

    assertThat(told.statusCode()).isEqualTo(413);
    assertThat(chunked.statusCode()).isEqualTo(413);
    assertThat(error(told).path("message").asText()).contains("4194304 bytes");
  }

  @Test
  void unknownModelIsNotFound() {
    HttpResponse<String> response = service.chat("{\"model\":\"no-such\"," + MESSAGES + "}");

    assertThat(response.statusCode()).isEqualTo(404);
    assertThat(error(response).path("code").asText()).isEqualTo("model_not_found");
  }

  @Test
  void unknownPathsAndMethodsAreToldWhatThereIs() {
    HttpResponse<String> path = service.get("/v1/nowhere");
    HttpResponse<String> method = service.get("/v1/chat/completions");

    assertThat(path.statusCode()).isEqualTo(404);
    assertThat(error(path).path("message").asText()).contains("/v1/chat/completions");
    assertThat(method.statusCode()).isEqualTo(405);
    assertThat(method.headers().firstValue("Allow")).contains("POST");
  }

  @ParameterizedTest
  @CsvSource({"/v1/models", "/v1/models/x", "/v1/nowhere", "/v1/chat/completions"})
  void everythingUnderV1AsksForAKnownKey(String path) {
    HttpResponse<String> without = service.get(path, "Authorization", "Basic eDp5");
    HttpResponse<String> wrong = service.get(path, "Authorization", "Bearer sk-wrong");

    if (!path.equals("/v1/chat/completions")) { // GET is not its method
      assertThat(without.statusCode()).isEqualTo(401);
      assertThat(wrong.statusCode()).isEqualTo(401);
      assertThat(error(wrong).path("code").asText()).isEqualTo("invalid_api_key");
    }
    assertThat(service.chat("{}", "Authorization", "Bearer sk-wrong").statusCode()).isEqualTo(401);
  }

  @Test
  void theClientsRequestIdComesBackWhereItCanBeUsed() {
    assertThat(
            service
                .get("/v1/nowhere", "x-request-id", "abc-1")
                .headers()
                .firstValue("x-request-id"))
        .contains("abc-1");
    HttpResponse<String> unusable = service.get("/v1/nowhere", "x-request-id", "a b");
    assertThat(unusable.headers().firstValue("x-request-id").orElseThrow())
        .matches("[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-.*")
        .isEqualTo(error(unusable).path("request_id").asText());
  }

  private static JsonNode error(HttpResponse<String> response) {
    JsonNode error = TestService.json(response.body()).path("error");
    assertThat(error.path("request_id").asText())
        .isEqualTo(response.headers().firstValue("x-request-id").orElse("no header"));
    return error;
  }
}
