package dev.jarvis.provider.ollama;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jarvis.TestService;
import dev.jarvis.config.Configs;
import dev.jarvis.gateway.ChatRequest;
import dev.jarvis.provider.Chats;
import dev.jarvis.provider.ModelServerConfig;
import dev.jarvis.provider.ProviderException;
import dev.jarvis.provider.ProviderRequest;
import dev.jarvis.storage.Recorded;
import dev.jarvis.telemetry.Telemetry;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What is known of Ollama's models, and the fields that only Ollama knows. */
@Timeout(60)
class OllamaModelsTest {
  private static final String MODEL = "fake:1b";
  private static final OptionalInt UNKNOWN = OptionalInt.empty();

  private final Telemetry telemetry = Recorded.start();
  private final FakeOllama ollama = FakeOllama.start();
  private OllamaProvider provider = provider(Map.of());

  @AfterEach
  void close() {
    provider.close();
    ollama.close();
    telemetry.close();
  }

  private OllamaProvider provider(Map<String, String> settings) {
    Map<String, String> all = new HashMap<>(Map.of("url", ollama.uri().toString()));
    all.putAll(settings);
    return new OllamaProvider(
        Configs.of(ModelServerConfig.class, "ollama", all), telemetry.instruments());
  }

  private void use(Map<String, String> settings) {
    provider.close();
    provider = provider(settings);
  }

  /** Lets the provider list its models, and waits until it knows their windows. */
  private void list(String parameters, String capabilities) throws ProviderException {
    ollama.showModels(
        """
        {"parameters":"stop \\"x\\"\\n%s","capabilities":[%s],
         "model_info":{"general.architecture":"llama","llama.context_length":8192}}"""
            .formatted(parameters, capabilities));
    provider.models();
    await().until(() -> window(request(null)).isPresent());
  }

  private static ChatRequest request(@Nullable String fields) {
    ChatRequest request = Chats.request(MODEL, "hi");
    if (fields != null) {
      request.body().setAll((ObjectNode) TestService.json("{" + fields + "}"));
    }
    return request;
  }

  private OptionalInt window(ChatRequest request) {
    return provider.contextWindow(request, UNKNOWN);
  }

  private JsonNode sent(String fields) throws ProviderException {
    Chats.ask(provider, Chats.whole(request(fields)));
    return TestService.json(ollama.lastBody());
  }

  @Test
  void theWindowIsUnknownBeforeTheServerTellsIt() {
    assertThat(window(request(null))).isEmpty();
    assertThat(window(request("\"num_ctx\":4096"))).hasValue(4096);
  }

  @Test
  void aServerThatDoesNotShowModelsIsUsable() throws Exception {
    provider.models();

    assertThat(Chats.ask(provider, Chats.whole(request(null))).text()).isNotEmpty();
    assertThat(window(request(null))).isEmpty();
  }

  @ParameterizedTest
  @CsvSource({
    // Modelfile, configured for the server, for the model, asked, window
    "     0,    0,    0,     0, 8192", // the server's default is not known: the most there is
    "  2048,    0,    0,     0, 2048",
    "  2048,    0, 1024,     0, 1024",
    "  2048, 3000, 1024,     0, 3000",
    "  2048, 3000, 1024,   512,  512",
    "     0,    0,    0, 16384, 8192", // Ollama limits it so
    "100000,    0,    0,     0, 8192",
  })
  void theWindowIsTheMostSpecificOne(int modelfile, int server, int model, int asked, int window)
      throws Exception {
    use(Map.of("num-ctx", Integer.toString(server)));
    list(modelfile == 0 ? "" : "num_ctx                        " + modelfile, "");

    assertThat(
            provider.contextWindow(
                request(asked == 0 ? null : "\"num_ctx\":" + asked),
                model == 0 ? UNKNOWN : OptionalInt.of(model)))
        .hasValue(window);
  }

  @Test
  void theServersDefaultIsLearntFromAModelThatItHasLoaded() throws Exception {
    list("", "");
    ollama.listResident("{\"models\":[{\"name\":\"fake:1b\",\"context_length\":4096}]}");

    sent("\"num_ctx\":512"); // the server's state says nothing of its default
    assertThat(window(request(null))).hasValue(8192);
    sent("\"seed\":1");

    await().until(() -> window(request(null)).getAsInt() == 4096);
  }

  @Test
  void aNameWithoutTagIsTheLatest() throws Exception {
    ollama.listModels("fake:latest");
    ollama.showModels("{\"model_info\":{\"general.architecture\":\"x\",\"x.context_length\":100}}");
    provider.models();

    await().until(() -> window(Chats.request("fake", "hi")).isPresent());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "[]",
        "{\"model_info\":{}}",
        "{\"model_info\":{\"general.architecture\":\"x\",\"x.context_length\":\"8k\"}}",
        "{\"model_info\":{\"general.architecture\":\"x\",\"x.context_length\":-1}}",
        "{\"model_info\":{\"general.architecture\":\"x\",\"x.context_length\":99999999999}}",
        "{\"parameters\":17,\"capabilities\":{}}",
        "not JSON"
      })
  void oddDescriptionsAreUnknown(String shown) throws Exception {
    ollama.showModels(shown);
    provider.models();
    provider.models();

    assertThat(Chats.ask(provider, Chats.whole(request(null))).text()).isNotEmpty();
    assertThat(window(request(null))).isEmpty();
  }

  /** A field of a request, and the field of Ollama's request that it becomes. */
  private record Sent(String field, String path, String value) {}

  static List<Sent> fields() {
    return List.of(
        new Sent("\"num_ctx\":4096", "/options/num_ctx", "4096"),
        new Sent("\"top_k\":20", "/options/top_k", "20"),
        new Sent("\"min_p\":0.05", "/options/min_p", "0.05"),
        new Sent("\"typical_p\":0.7", "/options/typical_p", "0.7"),
        new Sent("\"repeat_penalty\":1.2", "/options/repeat_penalty", "1.2"),
        new Sent("\"repeat_last_n\":-1", "/options/repeat_last_n", "-1"),
        new Sent("\"keep_alive\":300", "/keep_alive", "\"300000ms\""),
        new Sent("\"keep_alive\":0", "/keep_alive", "\"0ms\""),
        new Sent("\"keep_alive\":\"10m\"", "/keep_alive", "\"600000ms\""),
        new Sent("\"keep_alive\":\"1h\"", "/keep_alive", "\"3600000ms\""),
        new Sent("\"keep_alive\":\"1m30.5s\"", "/keep_alive", "\"90500ms\""),
        new Sent("\"think\":true", "/think", "true"),
        new Sent("\"think\":false", "/think", "false"),
        new Sent("\"think\":\"high\"", "/think", "\"high\""),
        new Sent("\"reasoning_effort\":\"none\"", "/think", "false"),
        new Sent("\"reasoning_effort\":\"minimal\"", "/think", "\"low\""),
        new Sent("\"reasoning_effort\":\"medium\"", "/think", "\"medium\""),
        new Sent("\"reasoning_effort\":\"high\",\"think\":false", "/think", "false"),
        new Sent("\"reasoning_effort\":\"odd\"", "/think", ""));
  }

  @ParameterizedTest
  @MethodSource("fields")
  void fieldsReachOllama(Sent it) throws Exception {
    list("", "\"completion\",\"thinking\"");

    JsonNode node = sent(it.field).at(it.path);

    assertThat(node.isMissingNode() ? "" : node.toString()).isEqualTo(it.value);
    boolean odd = it.value.isEmpty();
    assertThat(provider.unsupported(request(it.field)).ignored()).hasSize(odd ? 1 : 0);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "\"num_ctx\":8193                | num_ctx    | 'num_ctx' is 8193; the maximum of 'fake:1b' is 8192.",
        "\"keep_alive\":-1               | keep_alive | 'keep_alive' is -1; it must be",
        "\"keep_alive\":\"-1m\"          | keep_alive | 'keep_alive' is \"-1m\"; it must be",
        "\"keep_alive\":3601             | keep_alive | from 0 to 3600 s.",
        "\"keep_alive\":1e300            | keep_alive | from 0 to 3600 s.",
        "\"keep_alive\":\"61m\"          | keep_alive | from 0 to 3600 s.",
        "\"keep_alive\":\"forever\"      | keep_alive | a duration such as \"10m\"",
        "\"keep_alive\":\"10\"           | keep_alive | a duration such as \"10m\"",
      })
  void clientsCannotAskForMoreThanTheyMay(String fields, String param, String message)
      throws Exception {
    list("", "");

    assertThatThrownBy(() -> sent(fields))
        .isInstanceOf(ProviderException.Refused.class)
        .hasMessageContaining(message)
        .extracting("refusal.param", "refusal.code")
        .containsExactly(param, "invalid_value");
    assertThat(ollama.requests()).isZero();
  }

  @Test
  void theLimitsAndDefaultsAreConfigured() throws Exception {
    use(
        Map.of(
            "num-ctx", "1024",
            "max-num-ctx", "4096",
            "keep-alive", "20m",
            "max-keep-alive", "2h"));
    list("", "");

    JsonNode defaults = sent("\"seed\":1");
    assertThat(defaults.at("/options/num_ctx").asInt()).isEqualTo(1024);
    assertThat(defaults.path("keep_alive").asText()).isEqualTo("1200000ms");
    assertThat(sent("\"keep_alive\":\"2h\"").path("keep_alive").asText()).isEqualTo("7200000ms");
    assertThatThrownBy(() -> sent("\"num_ctx\":5000")).hasMessageContaining("is 4096.");
  }

  @Test
  void aModelThatCannotThinkIsNotAskedTo() throws Exception {
    list("", "\"completion\"");
    String both = "\"think\":true,\"reasoning_effort\":\"high\"";

    assertThat(provider.unsupported(request(both)).ignored())
        .containsExactlyInAnyOrder("think", "reasoning_effort");
    assertThat(sent(both).has("think")).isFalse();
    assertThat(sent("\"think\":false").path("think").isBoolean()).isTrue();
  }

  @Test
  void anOldServerThatKnowsNoLevelsThinksAnyway() throws Exception {
    list("", "\"thinking\"");
    ollama.failWith(
        400, "json: cannot unmarshal string into Go struct field ChatRequest.think of type bool");
    assertThatThrownBy(() -> sent("\"think\":\"high\""))
        .isInstanceOf(ProviderException.Refused.class);
    assertThat(ollama.requests()).as("it was asked again").isEqualTo(2);
    ollama.failTimes(1, 400, 0, "json: cannot unmarshal string into Go struct field of type bool");

    assertThat(sent("\"reasoning_effort\":\"low\"").path("think").booleanValue()).isTrue();
    int before = ollama.requests();
    assertThat(sent("\"reasoning_effort\":\"low\"").path("think").booleanValue()).isTrue();
    assertThat(ollama.requests()).as("it remembers").isEqualTo(before + 1);
  }

  @Test
  void aPromptThatMustNotBeCutIsMarked() throws Exception {
    ChatRequest request = request(null);
    Chats.ask(provider, new ProviderRequest(request, MODEL, true, true, Duration.ofSeconds(20)));

    assertThat(TestService.json(ollama.lastBody()).path("truncate").isBoolean()).isTrue();
    assertThat(sent("\"seed\":1").has("truncate")).isFalse();
  }
}
