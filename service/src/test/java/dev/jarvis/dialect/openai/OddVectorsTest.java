package dev.jarvis.dialect.openai;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.jarvis.TestService;
import dev.jarvis.provider.openai.FakeOpenAi;
import java.net.http.HttpResponse;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Vectors as model servers send them for two inputs, and what the client gets. */
@Timeout(60)
class OddVectorsTest {
  private static FakeOpenAi cloud;
  private static TestService service;

  @BeforeAll
  static void start() throws Exception {
    cloud = FakeOpenAi.start("m");
    service =
        TestService.startWith(
                "providers: {cloud: {type: openai, url: \"%s\"}}".formatted(cloud.uri()))
            .awaitModel("m");
  }

  @AfterAll
  static void stop() {
    service.close();
    cloud.close();
  }

  @ParameterizedTest(name = "{0}")
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '~',
      textBlock =
          """
          as asked | {"data":[{"index":0,"embedding":[1,2]},{"index":1,"embedding":[3,4]}]}
          in another order | {"data":[{"index":1,"embedding":[3,4]},{"index":0,"embedding":[1,2]}]}
          counted from 1 | {"data":[{"index":2,"embedding":[3,4]},{"index":1,"embedding":[1,2]}]}
          without indexes | {"data":[{"embedding":[1,2]},{"embedding":[3,4]}]}
          the same index | {"data":[{"index":0,"embedding":[1,2]},{"index":0,"embedding":[3,4]}]}
          one index missing | {"data":[{"index":0,"embedding":[1,2]},{"embedding":[3,4]}]}
          index null | {"data":[{"index":null,"embedding":[1,2]},{"index":null,"embedding":[3,4]}]}
          one row each | {"data":[{"index":0,"embedding":[[1,2]]},{"index":1,"embedding":[[3,4]]}]}
          Base64 | {"data":[{"index":0,"embedding":"AACAPwAAAEA="},{"index":1,"embedding":"AABAQAAAgEA="}]}
          bare lists (TEI) | [[1,2],[3,4]]
          bare objects (llama.cpp) | [{"index":0,"embedding":[[1,2]]},{"index":1,"embedding":[[3,4]]}]
          Ollama's field | {"model":"m","embeddings":[[1.0,2e0],[3,4]]}
          error null | {"error":null,"data":[{"index":0,"embedding":[1,2]},{"index":1,"embedding":[3,4]}]}
          """)
  void isAccepted(String name, String body) {
    JsonNode answer = TestService.json(embed(body).body());

    assertThat(answer.at("/data/0/embedding")).as(answer.toString()).hasToString("[1.0,2.0]");
    assertThat(answer.at("/data/1/embedding")).as(answer.toString()).hasToString("[3.0,4.0]");
  }

  @ParameterizedTest(name = "{0}")
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '~',
      textBlock =
          """
          one missing | {"data":[{"index":0,"embedding":[1,2]}]} | sent 1 vectors for 2 inputs
          one too many | {"data":[{"embedding":[1]},{"embedding":[1]},{"embedding":[1]}]} | sent 3 vectors for 2 inputs
          none | {"data":[]} | sent 0 vectors for 2 inputs
          null | {"data":[{"index":0,"embedding":[1,2]},{"index":1,"embedding":null}]} | sent no vector for input[1]
          null in another order | {"data":[{"index":1,"embedding":[1,2]},{"index":0,"embedding":null}]} | sent no vector for input[0]
          null instead of an object | {"data":[null,null]} | sent no vector for input[0]
          empty | {"data":[{"index":0,"embedding":[]},{"index":1,"embedding":[1]}]} | sent no vector for input[0]
          duplicate | {"data":[{"index":1,"embedding":[1,2]},{"index":1,"embedding":[3,4]},{"index":0,"embedding":[1]}]} | sent 3 vectors for 2 inputs
          index too high | {"data":[{"index":0,"embedding":[1,2]},{"index":7,"embedding":[3,4]}]} | 'index' 7 stands at position 1
          index negative | {"data":[{"index":0,"embedding":[1,2]},{"index":-1,"embedding":[3,4]}]} | wrong indexes
          index huge | {"data":[{"index":0,"embedding":[1,2]},{"index":9000000000,"embedding":[3,4]}]} | wrong indexes
          damaged Base64 | {"data":[{"index":0,"embedding":"AACA!!"},{"index":1,"embedding":"AACAPw=="}]} | input[0] cannot be read: its Base64 is damaged
          odd length | {"data":[{"index":0,"embedding":"AACAPwA="},{"index":1,"embedding":"AACAPw=="}]} | its 5 bytes are not 32-bit floats
          NaN in Base64 | {"data":[{"index":0,"embedding":"AADAfw=="},{"index":1,"embedding":"AACAPw=="}]} | input[0] cannot be read: element 0 is not a number
          number as text | {"data":[{"index":0,"embedding":["1"]},{"index":1,"embedding":[1]}]} | element 0 is not a number
          null for NaN | {"data":[{"index":0,"embedding":[1,null]},{"index":1,"embedding":[1,2]}]} | element 1 is not a number
          too large | {"data":[{"index":0,"embedding":[1e99]},{"index":1,"embedding":[1]}]} | element 0 is not a number
          object | {"data":[{"index":0,"embedding":{"values":[1]}},{"index":1,"embedding":[1]}]} | neither an array nor a text
          rows of tokens | {"data":[{"index":0,"embedding":[[1],[2]]},{"index":1,"embedding":[[1],[2]]}]} | it has 2 rows
          different lengths | {"data":[{"index":0,"embedding":[1,2]},{"index":1,"embedding":[1]}]} | different lengths: 2 and 1 numbers
          no list | {"object":"list"} | invalid response
          no JSON | <html> | sent HTML instead of JSON
          cut off | {"data":[{"index":0,"embedding":[1, | invalid response
          error | {"error":{"message":"engine died"}} | reported an error in its answer: engine died
          """)
  void isAnError(String name, String body, String words) {
    HttpResponse<String> response = embed(body);

    assertThat(response.statusCode()).as(response.body()).isEqualTo(502);
    assertThat(TestService.json(response.body()).at("/error/message").asText()).contains(words);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '~',
      textBlock =
          """
          {"prompt_tokens":7} | 7 | false
          {"total_tokens":8} | 8 | false
          {"prompt_tokens":null,"total_tokens":9} | 9 | false
          {"prompt_tokens":-1} | 2 | true
          {"prompt_tokens":9000000000} | 2 | true
          {"prompt_tokens":7.5} | 2 | true
          {"prompt_tokens":"7"} | 2 | true
          {} | 2 | true
          null | 2 | true
          7 | 2 | true
          """)
  void countsThatCannotBeAreEstimated(String usage, int tokens, boolean estimated) {
    String body =
        "{\"data\":[{\"embedding\":[1]},{\"embedding\":[2]}],\"usage\":%s}".formatted(usage);

    JsonNode counted = TestService.json(embed(body).body()).path("usage");

    assertThat(counted.path("prompt_tokens").asInt()).isEqualTo(tokens);
    assertThat(counted.path("estimated").asBoolean()).isEqualTo(estimated);
  }

  /** Ollama's numbers are read as strictly. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '~',
      textBlock =
          """
          {"embeddings":[[1,2],null]} | sent no vector for input[1]
          {"embeddings":[[1,2],[null,1]]} | input[1] cannot be read: element 0
          {"embeddings":[[1,2],[1]]} | different lengths
          {"embeddings":null} | invalid response
          {"error":"engine died"} | engine died
          """)
  void ollamaToo(String body, String words) {
    service.ollama().embedWith(body);
    try {
      HttpResponse<String> response = ask(service.ollama().model());

      assertThat(response.statusCode()).isEqualTo(502);
      assertThat(response.body()).contains(words);
    } finally {
      service.ollama().reset();
    }
  }

  @Test
  void base64IsLittleEndian() {
    JsonNode answer =
        TestService.json(
            embed("{\"data\":[{\"embedding\":\"AAAAPwAAgL4=\"},{\"embedding\":\"AAAAPwAAgL4=\"}]}")
                .body());

    assertThat(answer.at("/data/1/embedding")).hasToString("[0.5,-0.25]");
  }

  private static HttpResponse<String> embed(String body) {
    cloud.embedWith(body);
    return ask("m");
  }

  private static HttpResponse<String> ask(String model) {
    return service.post(
        "/v1/embeddings", "{\"model\":\"%s\",\"input\":[\"four\",\"five\"]}".formatted(model));
  }
}
