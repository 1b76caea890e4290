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
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The OpenAPI document says what the service does, no more and no less. */
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
                "providers:\n  cloud:\n    type: openai\n    url: %s\n".formatted(cloud.uri()))
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
  void everyRouteIsDescribedAndNothingElse() {
    JsonNode error = TestService.json(service.get("/nowhere").body()).path("error");
    String routes = error.path("message").asText().replaceAll("(?s).*known are (.*)\\.", "$1");
    Set<String> described = new TreeSet<>();
    document().path("paths").fieldNames().forEachRemaining(described::add);

    assertThat(described).isEqualTo(new TreeSet<>(List.of(routes.split(", ", -1))));
  }

  /**
   * Schemathesis makes requests from the document, right and wrong ones, and judges the answers.
   */
  @Test
  void theServiceKeepsToTheDocument(@TempDir Path folder) throws Exception {
    ObjectNode document = document();
    for (String request : List.of("ChatCompletionRequest", "EmbeddingRequest")) {
      document // a name that is there, for most answers to be more than "no such model"
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
