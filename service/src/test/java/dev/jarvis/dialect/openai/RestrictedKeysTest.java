package dev.jarvis.dialect.openai;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jarvis.TestService;
import dev.jarvis.identity.ApiKey;
import dev.jarvis.identity.TestKeys;
import dev.jarvis.provider.ollama.FakeOllama;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Keys that are restricted to models, or not good for search, as their clients see it. */
@Timeout(60)
class RestrictedKeysTest {
  private static final Duration LIMIT = Duration.ofSeconds(20);
  private static final FakeOllama MODELS = FakeOllama.start();

  private static TestService service;
  private static int questions;

  /** For models and routes whose names begin with a. */
  private static String ann;

  /** For a route, but not for the model that is its target. */
  private static String routeOnly;

  /** Two keys of one user: for everything, and for chats only. */
  private static String bob;

  private static String bobsForChats;

  private String question = "";

  @BeforeAll
  static void start() throws Exception {
    MODELS.listModels("a:1b", "b:1b");
    MODELS.embedWith("{\"embeddings\": [[0.5, 0.25]]}");
    service =
        TestService.startWith(
                """
                providers:
                  models: {type: ollama, url: "%s"}
                routes:
                  - {name: a-route, targets: [{provider: models, model: "b:1b"}]}
                  - {name: b-route, cache: shared, targets: [{provider: models, model: "a:1b"}]}
                  - {name: mine, cache: user, targets: [{provider: models, model: "a:1b"}]}
                """
                    .formatted(MODELS.uri()))
            .awaitModel("b:1b");
    ann = key("ann", "models = '{a*}'");
    routeOnly = key("ann", "models = '{b-route}'");
    bob = key("bob", "models = '{}'");
    bobsForChats = key("bob", "permissions = '{chat}'");
  }

  private static String key(String user, String assignments) throws Exception {
    ApiKey key = TestKeys.add(service.database(), user);
    TestKeys.set(service.database(), key, assignments);
    return key.text();
  }

  @AfterAll
  static void stop() {
    service.close();
    MODELS.close();
  }

  @BeforeEach
  void ask() {
    question = "question " + questions++;
  }

  @AfterEach
  void release() {
    MODELS.release();
  }

  private HttpResponse<String> chat(String key, String model, boolean stream, String more) {
    return service.chat(
        """
        {"model":"%s","temperature":0,"stream":%s,"messages":[{"role":"user","content":"%s"}]%s}"""
            .formatted(model, stream, question, more),
        "Authorization",
        "Bearer " + key);
  }

  private HttpResponse<String> send(String key, String operation, String model) {
    String[] headers = {"Authorization", "Bearer " + key};
    return switch (operation) {
      case "chat" -> chat(key, model, false, "");
      case "stream" -> chat(key, model, true, "");
      case "grounded" -> chat(key, model, false, ",\"grounding\":{}");
      case "embeddings" ->
          service.post(
              "/v1/embeddings", "{\"model\":\"%s\",\"input\":\"text\"}".formatted(model), headers);
      case "models" -> service.get("/v1/models/" + model, headers);
      default -> throw new IllegalArgumentException(operation);
    };
  }

  private static JsonNode error(HttpResponse<String> response) {
    return ((ObjectNode) TestService.json(response.body()).path("error")).without("request_id");
  }

  private void assertThatItDoesNotExist(String key, String operation, String model) {
    HttpResponse<String> refused = send(key, operation, model);
    HttpResponse<String> unknown = send(key, operation, "nothing");

    assertThat(refused.statusCode()).as(refused.body()).isEqualTo(404);
    assertThat(error(refused).path("code").asText()).isEqualTo("model_not_found");
    assertThat(error(refused).toString())
        .isEqualTo(error(unknown).toString().replace("nothing", model));
    assertThat(refused.headers().map().keySet()).isEqualTo(unknown.headers().map().keySet());
  }

  @ParameterizedTest
  @CsvSource(
      textBlock =
          """
          chat,       a:1b
          stream,     a:1b
          grounded,   a:1b
          embeddings, a:1b
          models,     a:1b
          chat,       a-route
          stream,     a-route
          grounded,   a-route
          embeddings, a-route
          models,     a-route
          """)
  void whatTheKeyIsForWorks(String operation, String model) {
    HttpResponse<String> response = send(ann, operation, model);

    assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
  }

  @ParameterizedTest
  @CsvSource(
      textBlock =
          """
          chat,       b:1b
          stream,     b:1b
          grounded,   b:1b
          embeddings, b:1b
          models,     b:1b
          chat,       b-route
          stream,     b-route
          grounded,   b-route
          embeddings, b-route
          models,     b-route
          chat,       A:1b
          models,     A:1b
          """)
  void everythingElseDoesNotExist(String operation, String model) {
    int before = MODELS.requests();

    assertThatItDoesNotExist(ann, operation, model);

    assertThat(MODELS.requests()).isEqualTo(before);
  }

  @ParameterizedTest
  @ValueSource(strings = {"chat", "stream", "embeddings", "models"})
  void aRouteOpensItsNameAndNotItsTargets(String operation) {
    assertThat(send(routeOnly, operation, "b-route").statusCode()).isEqualTo(200);
    assertThatItDoesNotExist(routeOnly, operation, "a:1b");
  }

  @Test
  void theListHasOnlyWhatTheKeyIsFor() {
    JsonNode list =
        TestService.json(service.get("/v1/models", "Authorization", "Bearer " + ann).body());

    assertThat(list.path("data").findValuesAsText("id")).containsExactly("a-route", "a:1b");
  }

  @ParameterizedTest
  @ValueSource(strings = {"chat", "stream"})
  void anAnswerThatIsCachedForOthersIsNotGiven(String operation) {
    assertThat(send(bob, operation, "b-route").headers().firstValue("x-jarvis-cache"))
        .contains("miss");
    assertThat(send(routeOnly, operation, "b-route").headers().firstValue("x-jarvis-cache"))
        .as("others share it")
        .contains("hit");

    assertThatItDoesNotExist(ann, operation, "b-route");
  }

  @Test
  void aGenerationOfOthersIsNotJoined() {
    int before = MODELS.requests();
    MODELS.hold();
    CompletableFuture<HttpResponse<String>> others =
        CompletableFuture.supplyAsync(() -> send(bob, "chat", "b-route"));
    await().atMost(LIMIT).until(() -> MODELS.requests() == before + 1);

    assertThatItDoesNotExist(ann, "chat", "b-route");
    assertThatItDoesNotExist(ann, "stream", "b-route");

    assertThat(others).as("the generation goes on meanwhile").isNotDone();
    MODELS.release();
    assertThat(others.join().statusCode()).isEqualTo(200);
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void groundingAsksForSearch(boolean stream) {
    String grounding = ",\"grounding\":{}";
    assertThat(chat(bob, "mine", stream, grounding).statusCode()).isEqualTo(200);
    assertThat(chat(bobsForChats, "mine", stream, "").statusCode()).isEqualTo(200);
    int before = MODELS.requests();

    // although the user's other key has left the answer in the cache
    HttpResponse<String> refused = chat(bobsForChats, "mine", stream, grounding);

    assertThat(refused.statusCode()).isEqualTo(403);
    assertThat(error(refused).path("code").asText()).isEqualTo("forbidden");
    assertThat(error(refused).path("message").asText())
        .isEqualTo("'grounding' searches files; your API key may not be used for 'search'.");
    assertThat(MODELS.requests()).isEqualTo(before);
  }
}
