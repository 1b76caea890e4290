package dev.jarvis.dialect.openai;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.jarvis.TestService;
import dev.jarvis.provider.openai.FakeOpenAi;
import java.net.http.HttpResponse;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Fields that OpenAI does not define, on their way to a server that speaks its API. */
@Timeout(60)
class PassThroughTest {
  private static FakeOpenAi cloud;
  private static FakeOpenAi lenient;
  private static TestService service;

  @BeforeAll
  static void start() throws Exception {
    cloud = FakeOpenAi.start("cloud-1");
    lenient = FakeOpenAi.start("lenient-1");
    service =
        TestService.startWith(
                """
                providers:
                  cloud: {type: openai, url: "%s"}
                  lenient: {type: openai, url: "%s", allow-fields: "api_version, mock_response", deny-fields: "top_k"}
                routes:
                  - name: both
                    targets:
                      - {provider: cloud, model: cloud-1, priority: 1}
                      - {provider: lenient, model: lenient-1, priority: 2}
                """
                    .formatted(cloud.uri(), lenient.uri()))
            .awaitModel("cloud-1")
            .awaitModel("lenient-1");
  }

  @AfterAll
  static void stop() {
    service.close();
    cloud.close();
    lenient.close();
  }

  @BeforeEach
  void reset() {
    for (FakeOpenAi server : new FakeOpenAi[] {cloud, lenient}) {
      server.reset();
      server.events("{\"choices\":[{\"index\":0,\"delta\":{\"content\":\"ok\"}}]}");
    }
  }

  private static HttpResponse<String> ask(String model, String fields) {
    return service.chat(
        "{\"model\":\"%s\",\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}],%s}"
            .formatted(model, fields));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "Model",
        "Messages",
        "MAX_TOKENS",
        "models",
        "api_base",
        "apiBase",
        "API-BASE",
        "base_url",
        "api_key",
        "api_version",
        "mock_response",
        "mock_tool_calls",
        "extra_headers",
        "extra_body",
        "extra_query",
        "headers",
        "organization",
        "custom_llm_provider",
        "fallbacks",
        "user_config",
        "litellm_metadata",
        "aws_access_key_id",
        "aws_bedrock_runtime_endpoint",
        "vertex_credentials",
        "azure_ad_token",
        "langfuse_host",
        "data_sources",
        "kv_transfer_params",
        "bootstrap_host",
        "deployment_url"
      })
  void fieldsThatChooseAServerACredentialOrAMockAreRefusedByName(String field) {
    for (String model : new String[] {"cloud-1", "fake:1b"}) {
      HttpResponse<String> response = ask(model, "\"%s\": \"x\"".formatted(field));

      assertThat(response.statusCode()).as(model).isEqualTo(400);
      JsonNode error = TestService.json(response.body()).path("error");
      assertThat(error.path("param").asText()).isEqualTo(field);
      assertThat(error.path("code").asText()).isEqualTo("unsupported_field");
      assertThat(error.path("message").asText()).startsWith("'" + field + "' is not accepted: ");
    }
    assertThat(cloud.requests()).isZero();
    assertThat(service.ollama().requests()).isZero();
  }

  @Test
  void metadataPassesWithoutSuchFields() {
    assertThat(
            ask("cloud-1", "\"metadata\": {\"project\": \"a\", \"page_url\": \"b\"}").statusCode())
        .isEqualTo(200);

    HttpResponse<String> response = ask("cloud-1", "\"metadata\": {\"langfuse_host\": \"x\"}");

    assertThat(response.statusCode()).isEqualTo(400);
    assertThat(TestService.json(response.body()).at("/error/param").asText())
        .isEqualTo("metadata.langfuse_host");
  }

  @Test
  void otherFieldsPassAndNullsDoNotMatter() {
    HttpResponse<String> response =
        ask(
            "cloud-1",
            "\"top_k\": 5, \"chat_template_kwargs\": {\"enable_thinking\": false}, \"stop_token_ids\": [1], \"api_key\": null");

    assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
    JsonNode sent = TestService.json(cloud.lastBody());
    assertThat(sent.path("top_k").asInt()).isEqualTo(5);
    assertThat(sent.at("/chat_template_kwargs/enable_thinking").isBoolean()).isTrue();
  }

  @Test
  void aProvidersSettingsChangeWhatItReceives() {
    assertThat(ask("lenient-1", "\"mock_response\": \"m\"").statusCode()).isEqualTo(200);
    assertThat(TestService.json(lenient.lastBody()).path("mock_response").asText()).isEqualTo("m");
    assertThat(ask("lenient-1", "\"mock_delay\": 1").statusCode()).isEqualTo(400);

    HttpResponse<String> denied = ask("lenient-1", "\"top_k\": 5");
    assertThat(denied.statusCode()).isEqualTo(400);
    assertThat(denied.body())
        .contains("None of the providers of 'lenient-1' (lenient) supports 'top_k'");
  }

  @Test
  void aRouteSkipsTargetsThatMustNotReceiveTheField() {
    HttpResponse<String> response = ask("both", "\"api_version\": \"1\"");

    assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
    assertThat(response.headers().firstValue("x-jarvis-provider")).contains("lenient");
    assertThat(cloud.requests()).isZero();
  }

  @Test
  void theSameRulesApplyToEmbeddings() {
    HttpResponse<String> response =
        service.post(
            "/v1/embeddings",
            "{\"model\": \"cloud-1\", \"input\": \"a\", \"api_base\": \"http://x\"}");

    assertThat(response.statusCode()).isEqualTo(400);
    assertThat(response.body()).contains("'api_base' is not accepted");
    assertThat(cloud.requests()).isZero();
  }
}
