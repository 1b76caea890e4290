package dev.jarvis.document.search;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import dev.jarvis.TestService;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Which files a search with {@code filters} looks into, through the API. */
class SearchFiltersTest {
  private static TestService service;
  private static final Map<String, String> IDS = new HashMap<>();

  @BeforeAll
  static void start() throws Exception {
    service = TestService.start(Map.of());
    upload("en.txt", "The gull is a bird that everybody in the harbour knows.", "assistants");
    upload("fr.md", "La mouette, gull en anglais, est un oiseau du port.", "user_data");
    upload("short.txt", "Gull.", "user_data");
    await()
        .atMost(Duration.ofSeconds(60))
        .until(() -> !service.get("/v1/files").body().contains("\"status\":\"uploaded\""));
  }

  private static void upload(String name, String text, String purpose) {
    HttpResponse<String> response =
        service.upload(name, text.getBytes(StandardCharsets.UTF_8), purpose);
    IDS.put(name, TestService.json(response.body()).path("id").asText());
  }

  @AfterAll
  static void stop() {
    service.close();
  }

  private static HttpResponse<String> search(String filters) {
    return service.post(
        "/v1/search", "{\"query\":\"gull\",\"filters\":%s}".formatted(filters.replace('\'', '"')));
  }

  private static List<String> found(String filters) {
    HttpResponse<String> response = search(filters);
    assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
    JsonNode data = TestService.json(response.body()).path("data");
    return data.valueStream().map(it -> it.path("filename").asText()).sorted().toList();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "null | en fr short",
        "{'type':'eq','key':'filename','value':'fr.md'} | fr",
        "{'type':'ne','key':'filename','value':'fr.md'} | en short",
        "{'type':'in','key':'filename','value':['fr.md','en.txt','x']} | en fr",
        "{'type':'nin','key':'filename','value':['fr.md','en.txt']} | short",
        "{'type':'eq','key':'media_type','value':'text/markdown'} | fr",
        "{'type':'eq','key':'purpose','value':'user_data'} | fr short",
        "{'type':'eq','key':'language','value':'fr'} | fr",
        "{'type':'ne','key':'language','value':'fr'} | en short",
        "{'type':'nin','key':'language','value':['fr','en']} | short",
        "{'type':'in','key':'language','value':['fr','en']} | en fr",
        "{'type':'eq','key':'bytes','value':5} | short",
        "{'type':'ne','key':'bytes','value':5.0} | en fr",
        "{'type':'gt','key':'bytes','value':5} | en fr",
        "{'type':'gte','key':'bytes','value':5} | en fr short",
        "{'type':'lt','key':'bytes','value':5} | ''",
        "{'type':'lte','key':'bytes','value':5} | short",
        "{'type':'in','key':'bytes','value':[1,5]} | short",
        "{'type':'gt','key':'created_at','value':1000000000} | en fr short",
        "{'type':'lt','key':'created_at','value':1000000000} | ''",
        "{'type':'and','filters':[{'type':'eq','key':'purpose','value':'user_data'},{'type':'gt','key':'bytes','value':5}]} | fr",
        "{'type':'or','filters':[{'type':'eq','key':'bytes','value':5},{'type':'eq','key':'language','value':'en'}]} | en short",
        "{'type':'and','filters':[{'type':'or','filters':[{'type':'eq','key':'language','value':'en'},{'type':'eq','key':'bytes','value':5}]},{'type':'eq','key':'purpose','value':'assistants'}]} | en",
        "{'type':'eq','key':'filename','value':'\\u0027 OR true --'} | ''",
      })
  void findsOnlyInFilesThatFit(String filters, String files) {
    List<String> expected = Arrays.stream(files.split(" ")).filter(it -> !it.isEmpty()).toList();
    assertThat(found(filters))
        .hasSameSizeAs(expected)
        .allMatch(it -> expected.contains(it.substring(0, it.indexOf('.'))));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "[] | filters | object",
        "{} | filters.type | missing",
        "{'type':'like','key':'filename','value':'x'} | filters.type | nin",
        "{'type':'eq','key':'author','value':'x'} | filters.key | created_at",
        "{'type':'eq','value':'x'} | filters.key | created_at",
        "{'type':'eq','key':'filename'} | filters.value | string",
        "{'type':'eq','key':'filename','value':5} | filters.value | string",
        "{'type':'eq','key':'filename','value':'a\\u0000b'} | filters.value | not allowed",
        "{'type':'eq','key':'bytes','value':'5'} | filters.value | number",
        "{'type':'eq','key':'filename','value':['x']} | filters.value | string",
        "{'type':'gt','key':'filename','value':'x'} | filters.type | bytes, created_at",
        "{'type':'in','key':'filename','value':'x'} | filters.value | list",
        "{'type':'in','key':'filename','value':[]} | filters.value | list",
        "{'type':'in','key':'filename','value':['x',5]} | filters.value[1] | string",
        "{'type':'eq','key':'filename','value':'x','not':true} | filters.not | type, key, value",
        "{'type':'and','filters':[]} | filters.filters | 1 item",
        "{'type':'and'} | filters.filters | list",
        "{'type':'and','filters':[{'type':'eq','key':'size','value':1}]} | filters.filters[0].key | bytes",
        "{'type':'or','filters':['x']} | filters.filters[0] | object",
      })
  void refusesOtherFiltersByName(String filters, String param, String allowed) {
    HttpResponse<String> response = search(filters);
    assertThat(response.statusCode()).as(response.body()).isEqualTo(400);
    JsonNode error = TestService.json(response.body()).path("error");
    assertThat(error.path("param").asText()).as(response.body()).isEqualTo(param);
    assertThat(error.path("message").asText()).contains(param, allowed);
  }

  @Test
  void boundsFilters() {
    String one = "{'type':'eq','key':'bytes','value':1}";
    String nested = one;
    for (int i = 0; i < 5; i++) {
      nested = "{'type':'and','filters':[%s]}".formatted(nested);
    }
    assertThat(search(nested).body()).contains("nested too deeply", "5 levels");
    String many = "{'type':'or','filters':[%s]}";
    assertThat(found(many.formatted(one + ("," + one).repeat(99)))).isEmpty();
    assertThat(search(many.formatted(one + ("," + one).repeat(100))).body())
        .contains("the maximum is 100");
  }

  @Test
  void resultsShowWhatFiltersCompare() {
    JsonNode file = TestService.json(service.get("/v1/files/" + IDS.get("en.txt")).body());
    assertThat(file.path("language").asText()).isEqualTo("en");
    JsonNode attributes =
        TestService.json(search("{'type':'eq','key':'language','value':'en'}").body())
            .at("/data/0/attributes");
    for (String key : List.of("media_type", "purpose", "language", "bytes", "created_at")) {
      assertThat(attributes.path(key)).as(key).isEqualTo(file.path(key)).isNotNull();
    }
    String again =
        "{'type':'and','filters':[{'type':'eq','key':'file_id','value':'%s'},{'type':'eq','key':'created_at','value':%d}]}"
            .formatted(IDS.get("en.txt"), attributes.path("created_at").asLong());
    assertThat(found(again)).containsExactly("en.txt");
    assertThat(
            TestService.json(service.get("/v1/files/" + IDS.get("short.txt")).body())
                .path("language")
                .isNull())
        .isTrue();
  }

  @Test
  void groundingTakesTheSameFilters() {
    service.ollama().answerWith("{\"role\":\"assistant\",\"content\":\"A bird.\"}");
    String chat =
        """
        {"model":"%s","messages":[{"role":"user","content":"gull"}],
         "grounding":{"filters":{"type":"eq","key":"language","value":"%s"}}}""";
    String model = service.ollama().model();
    JsonNode answer = TestService.json(service.chat(chat.formatted(model, "fr")).body());
    assertThat(answer.at("/grounding/citations").findValuesAsText("filename"))
        .as("%s", answer)
        .containsExactly("fr.md");
    String wrong = chat.formatted(model, "fr").replace("language", "tongue");
    assertThat(service.chat(wrong).body()).contains("grounding.filters.key", "language");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "\"ranking_options\":{\"ranker\":\"auto\",\"score_threshold\":0.0}",
        "\"ranking_options\":{\"ranker\":\"none\"}",
        "\"ranking_options\":null",
        "\"rewrite_query\":false",
      })
  void takesOptionsThatChangeNothing(String option) {
    assertThat(service.post("/v1/search", "{\"query\":\"gull\",%s}".formatted(option)).statusCode())
        .isEqualTo(200);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "\"ranking_options\":{\"ranker\":\"best\"} | ranking_options.ranker | 'auto'",
        "\"ranking_options\":{\"score_threshold\":0.5} | ranking_options.score_threshold | max_num_results",
        "\"ranking_options\":{\"hybrid_search\":{}} | ranking_options.hybrid_search | remove the field",
        "\"rewrite_query\":true | rewrite_query | remove the field",
      })
  void refusesOtherOptionsByName(String option, String param, String message) {
    HttpResponse<String> response =
        service.post("/v1/search", "{\"query\":\"gull\",%s}".formatted(option));
    assertThat(response.statusCode()).isEqualTo(400);
    assertThat(response.body()).contains("'" + param + "'", message);
  }

  @Test
  void severalQuestionsAreSearchedAsOne() {
    HttpResponse<String> response =
        service.post("/v1/search", "{\"query\":[\"everybody\",\"mouettes\"]}");
    JsonNode results = TestService.json(response.body());
    assertThat(results.path("search_query")).hasToString("[\"everybody\",\"mouettes\"]");
    assertThat(results.path("data").valueStream().map(it -> it.path("filename").asText()))
        .containsExactlyInAnyOrder("en.txt", "fr.md");
    String half = "x".repeat(4_200);
    assertThat(
            service.post("/v1/search", "{\"query\":[\"%s\",\"%s\"]}".formatted(half, half)).body())
        .contains("'query' has 8401 characters", "8192");
  }
}
