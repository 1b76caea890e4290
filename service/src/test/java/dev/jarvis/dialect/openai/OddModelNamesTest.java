package dev.jarvis.dialect.openai;

import static org.assertj.core.api.Assertions.assertThat;

import dev.jarvis.TestService;
import dev.jarvis.json.Json;
import java.net.http.HttpResponse;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Names of models that are no values of headers. */
class OddModelNamesTest {
  private static TestService service;

  @BeforeAll
  static void start() throws Exception {
    service = TestService.start(Map.of("JARVIS_MODELS_REFRESH", "100ms"));
    service.ollama().listModels("ctl\\n\\\"x", "a\\r\\nx-evil: 1", "modèle-é", "50% a");
    service.awaitModel("50% a");
  }

  @AfterAll
  static void stop() {
    service.close();
  }

  @Test
  void namesWithControlCharactersAreNotListed() {
    assertThat(service.get("/v1/models").body()).contains("modèle-é").doesNotContain("ctl", "evil");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {"modèle-é | mod%C3%A8le-%C3%A9", "50% a | 50%25%20a"})
  void headersEncodeThem(String model, String value) {
    for (boolean stream : new boolean[] {false, true}) {
      var body = Json.object().put("model", model).put("stream", stream);
      body.putArray("messages").addObject().put("role", "user").put("content", "hi");

      HttpResponse<String> response = service.chat(body.toString());

      assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
      assertThat(response.headers().firstValue("x-jarvis-model")).hasValue(value);
      assertThat(response.headers().firstValue("x-jarvis-route")).hasValue(value);
    }
  }
}
