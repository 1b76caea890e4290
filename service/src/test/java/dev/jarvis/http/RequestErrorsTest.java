package dev.jarvis.http;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jarvis.TestService;
import dev.jarvis.json.Json;
import java.io.InputStream;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvFileSource;
import org.junit.jupiter.params.provider.CsvSource;

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

  /** Clients in typed languages send null for what is not set. */
  @ParameterizedTest
  @CsvSource({
    "/v1/chat/completions, dialect/openai/ChatCompletionRequest",
    "/v1/embeddings, dialect/openai/EmbeddingRequest",
    "/v1/search, document/search/SearchRequest",
    "/v1/routing/explain, dialect/openai/RoutingRequest"
  })
  void anOptionalFieldMayBeNull(String path, String schema) throws Exception {
    JsonNode rules;
    try (InputStream json = getClass().getResourceAsStream("/dev/jarvis/" + schema + ".json")) {
      rules = TestService.json(new String(requireNonNull(json).readAllBytes(), UTF_8));
    }
    List<String> required = rules.path("required").valueStream().map(JsonNode::asText).toList();
    ObjectNode body = Json.object();
    body.put("model", service.ollama().model()).put("query", "hi").put("input", "hi");
    body.putArray("messages").addObject().put("role", "user").put("content", "hi");
    List<String> optional =
        rules.path("properties").propertyStream().map(Map.Entry::getKey).toList();
    for (String field : optional) {
      if (!required.contains(field) && !field.equals("messages")) {
        String request = body.deepCopy().putNull(field).toString();
        assertThat(service.post(path, request).statusCode()).as(request).isNotEqualTo(400);
      }
    }
  }

  /** A method, a path and a body, with a space between them. */
  private HttpResponse<String> send(String request) {
    String[] parts = request.split(" ", 3);
    if (parts[0].equals("GET")) {
      return service.get(parts[1]);
    }
    return service.send(
        service.request(parts[1]).method(parts[0], BodyPublishers.ofString(parts[2])).build());
  }
}
