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
        "                                                                | is empty; it must be a JSON object",
        "{\"model\":                                                     | not valid JSON",
        "{\"model\":\"a\",\"model\":\"b\"}                               | the name 'model' twice",
        "{} {}                                                           | not valid JSON",
        "[]                                                              | must be a JSON object",
      })
  void bodiesThatAreNotOneJsonObjectAreRefused(String body, String words) {
    HttpResponse<String> response = service.chat(body == null ? "" : body);

    assertThat(response.statusCode()).isEqualTo(400);
    JsonNode error = error(response);
    assertThat(error.path("type").asText()).isEqualTo("invalid_request_error");
    assertThat(error.path("param").isNull()).isTrue();
    assertThat(error.path("message").asText()).contains(words);
  }

  @Test
  void invalidUtf8IsRefused() {
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
  void bodiesBeyondTheLimitAreRefusedWithAndWithoutContentLength() {
    byte[] large = new byte[4_194_305];
    HttpResponse<String> announced =
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

    assertThat(announced.statusCode()).isEqualTo(413);
    assertThat(chunked.statusCode()).isEqualTo(413);
    assertThat(error(announced).path("message").asText()).contains("4194304 bytes");
  }

  @Test
  void unknownModelIsNotFound() {
    HttpResponse<String> response = service.chat("{\"model\":\"no-such\"," + MESSAGES + "}");

    assertThat(response.statusCode()).isEqualTo(404);
    assertThat(error(response).path("code").asText()).isEqualTo("model_not_found");
  }

  @Test
  void errorsForUnknownPathsAndMethodsListTheKnownOnes() {
    HttpResponse<String> path = service.get("/v1/nowhere");
    HttpResponse<String> method = service.get("/v1/chat/completions");

    assertThat(path.statusCode()).isEqualTo(404);
    assertThat(error(path).path("message").asText()).contains("/v1/chat/completions");
    assertThat(method.statusCode()).isEqualTo(405);
    assertThat(method.headers().firstValue("Allow")).contains("POST");
  }

  @ParameterizedTest
  @CsvSource({"/v1/models", "/v1/models/x", "/v1/nowhere", "/v1/chat/completions"})
  void everythingUnderV1RequiresAKnownKey(String path) {
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
  void theClientsRequestIdIsRepeatedIfItIsSafe() {
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
