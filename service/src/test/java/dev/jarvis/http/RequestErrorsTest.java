package dev.jarvis.http;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.jarvis.TestService;
import java.net.http.HttpResponse;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvFileSource;

/** The constraints of the schemas, and the error for a request that violates each of them. */
class RequestErrorsTest {
  private static final String MESSAGES = "\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]";

  private final TestService service = TestService.shared();

  @ParameterizedTest
  @CsvFileSource(resources = "/request-errors.txt", delimiter = '|', quoteCharacter = '\0')
  void errorsNameTheFieldItsValueAndWhatIsAllowed(
      String request, String param, String code, String message) {
    HttpResponse<String> response = send(request.replace("MESSAGES", MESSAGES));

    JsonNode error = TestService.json(response.body()).path("error");
    assertThat(response.statusCode()).isEqualTo(400);
    assertThat(error.path("message").asText()).isEqualTo(message);
    assertThat(error.path("param").asText()).isEqualTo(param);
    assertThat(error.path("code").asText()).isEqualTo(code);
    assertThat(error.path("type").asText()).isEqualTo("invalid_request_error");
  }

  /** A method, a path and a body, with a space between them. */
  private HttpResponse<String> send(String request) {
    String[] parts = request.split(" ", 3);
    return parts[0].equals("GET") ? service.get(parts[1]) : service.post(parts[1], parts[2]);
  }
}
