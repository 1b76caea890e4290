package dev.jarvis.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jarvis.TestService;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** References and placeholders in schemas. */
class SchemaResourcesTest {
  private static final Map<String, Number> LIMITS =
      Map.of("chat.max-messages", 7, "chat.max-tokens", 100);

  @Test
  void referencesBecomeComponentsAndPlaceholdersLimits() {
    SchemaResources resources = new SchemaResources(LIMITS);
    ObjectNode reference = reference("/dialect/openai/ChatCompletionRequest.json");

    resources.resolve(reference, "/");

    assertThat(reference.path("$ref").asText())
        .isEqualTo("#/components/schemas/ChatCompletionRequest");
    assertThat(resources.schemas())
        .containsKeys("ChatCompletionRequest", "Message", "ContentPart", "GroundingOptions");
    assertThat(resources.schemas().toString())
        .contains("\"maxItems\":7")
        .doesNotContain("${", ".json");
  }

  @Test
  void aLimitThatNoEndpointDeclaresIsAnError() {
    ObjectNode reference = reference("/dialect/openai/ChatCompletionRequest.json");

    assertThatIllegalStateException()
        .isThrownBy(() -> new SchemaResources(Map.of()).resolve(reference, "/"))
        .withMessage("no endpoint declares the limit 'chat.max-messages'");
  }

  @Test
  void aSchemaThatDoesNotExistIsAnError() {
    assertThatIllegalStateException()
        .isThrownBy(() -> new SchemaResources(LIMITS).resolve(reference("/http/Nothing.json"), "/"))
        .withMessage("there is no resource /dev/jarvis/http/Nothing.json");
  }

  private static ObjectNode reference(String resource) {
    return (ObjectNode) TestService.json("{\"$ref\": \"" + resource + "\"}");
  }
}
