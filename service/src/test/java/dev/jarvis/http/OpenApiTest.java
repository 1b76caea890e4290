package dev.jarvis.http;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jarvis.Programs;
import dev.jarvis.TestService;
import dev.jarvis.provider.openai.FakeOpenAi;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The OpenAPI document describes what the service does, no more and no less. */
class OpenApiTest {
  private static final String MODEL = "cloud-1";

  private static FakeOpenAi cloud;
  private static TestService service;

  @BeforeAll
  static void start() throws Exception {
    cloud = FakeOpenAi.start(MODEL);
    cloud.events("{\"choices\":[{\"index\":0,\"delta\":{\"content\":\"ok\"}}]}");
    service =
        TestService.startWith(
                """
                providers:
                  cloud:
                    type: openai
                    url: %s
                limits:
                  search-requests-per-minute: 0
                  files-requests-per-minute: 0
                  explain-requests-per-minute: 0
                  admin-requests-per-minute: 0
                """
                    .formatted(cloud.uri()))
            .awaitModel(MODEL);
  }

  @AfterAll
  static void stop() {
    service.close();
    cloud.close();
  }

  private static ObjectNode document() {
    return (ObjectNode) TestService.json(service.get("/openapi.json", "Authorization", "").body());
  }

  @Test
  void describesEveryMethodOfEveryRouteAndNothingElse() {
    Map<String, Set<String>> served = new TreeMap<>();
    service
        .routes()
        .templates()
        .forEach(
            (template, methods) -> {
              Set<String> names = new TreeSet<>();
              methods.forEach(it -> names.add(it.toLowerCase(Locale.ROOT)));
              if (names.contains("get")) {
                names.add("head");
              }
              served.put(template, names);
            });
    Map<String, Set<String>> described = new TreeMap<>();
    document()
        .path("paths")
        .properties()
        .forEach(
            it -> {
              Set<String> names = new TreeSet<>();
              it.getValue().fieldNames().forEachRemaining(names::add);
              described.put(it.getKey(), names);
            });

    assertThat(described).isEqualTo(served);
  }

  @Test
  void statesTheConfiguredLimits() throws Exception {
    try (TestService small = TestService.start(Map.of("JARVIS_CHAT_MAX_MESSAGES", "7"))) {
      JsonNode document = TestService.json(small.get("/openapi.json").body());
      String message = "{\"role\": \"user\", \"content\": \"hi\"}";
      String body =
          "{\"model\": \"m\", \"messages\": [" + (message + ",").repeat(7) + message + "]}";

      assertThat(
              document
                  .at("/components/schemas/ChatCompletionRequest/properties/messages/maxItems")
                  .asInt())
          .isEqualTo(7);
      assertThat(TestService.json(small.chat(body).body()).at("/error/message").asText())
          .isEqualTo("'messages' has 8 items; the maximum is 7.");
    }
  }

  /**
   * Schemathesis generates valid and invalid requests from the document, and checks the responses.
   */
  @Test
  void theServiceConformsToTheDocument(@TempDir Path folder) throws Exception {
    ObjectNode document = document();
    for (String request : List.of("ChatCompletionRequest", "EmbeddingRequest", "RoutingRequest")) {
      document // a known name, or most requests would fail with "no such model"
          .withObject("/components/schemas/" + request + "/properties/model")
          .putArray("enum")
          .add(MODEL);
    }
    Path file = folder.resolve("openapi.json");
    Files.writeString(file, document.toString());

    Programs.run(
        folder,
        List.of(
            Programs.python("schemathesis").toString(),
            "run",
            file.toString(),
            "--url",
            service.uri("/").toString(),
            "--header",
            "Authorization: Bearer " + TestService.KEY,
            "--checks",
            "not_a_server_error,status_code_conformance,content_type_conformance,"
                + "response_headers_conformance,response_schema_conformance,negative_data_rejection,"
                + "unsupported_method,ignored_auth",
            "--phases",
            "examples,coverage,fuzzing",
            "--max-examples",
            "30",
            "--seed",
            "1",
            "--suppress-health-check",
            "all",
            "--generation-database",
            "none"));
  }
}
