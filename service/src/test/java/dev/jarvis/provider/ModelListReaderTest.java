package dev.jarvis.provider;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ModelListReaderTest {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final ModelListReader OPENAI =
      new ModelListReader(List.of("data", "models"), List.of("id", "name", "model"));
  private static final ModelListReader OLLAMA =
      new ModelListReader(List.of("models", "data"), List.of("name", "model", "id"));

  private static ModelList read(ModelListReader reader, String json) throws Exception {
    return reader.read(JSON.readTree(json));
  }

  /** Names are separated by a space; the number is that of ignored entries. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      textBlock =
          """
          {"object":"list","data":[{"id":"a"},{"id":"b"}]}     | a b | 0
          [{"id":"a"},{"id":"b"}]                              | a b | 0
          ["a","b"]                                            | a b | 0
          {"models":[{"id":"a"}]}                              | a   | 0
          {"models":[{"name":"a"},{"model":"b"}]}              | a b | 0
          {"models":["a","b"]}                                 | a b | 0
          {"data":["a"]}                                       | a   | 0
          {"data":null,"models":[{"name":"a"}]}                | a   | 0
          {"data":[],"models":["a"]}                           | a   | 0
          {"data":[{"id":"a"}],"models":[{"name":"b"}]}        | a   | 0
          {"data":[{"id":"a","name":"A B"}],"error":null}      | a   | 0
          {"data":[{"id":"a"}],"error":"3 are hidden"}         | a   | 0
          {"data":[{"id":"a"},{"id":"a"},"a"]}                 | a   | 0
          {"data":[{"id":""},{"id":" ","name":"a"}]}           | a   | 1
          {"data":[null,7,true,[],{},{"id":7},{"id":null},"a"]}| a   | 7
          {"data":[{"id":{"name":"a"}},{"id":["a"]},{"id":"b"}]}| b  | 2
          {"data":[{"id":"a\\nb"},{"id":"a\\u0000"},{"id":"b"}]} | b   | 2
          {"data":[{"id":"\\ud800"},{"id":"\\u007f"},{"id":"é模型"}]}| é模型 | 2
          {"data":null}                                        | `` | 0
          {"data":{}}                                          | `` | 0
          {"models":null}                                      | `` | 0
          {"object":"list"}                                    | `` | 0
          {}                                                   | `` | 0
          []                                                   | `` | 0
          null                                                 | `` | 0
          {"data":[]}                                          | `` | 0
          """)
  void readsTheNames(String json, String names, int ignored) throws Exception {
    ModelList list = read(OPENAI, json);

    assertThat(list.source()).isEqualTo(ModelList.Source.LISTED);
    assertThat(String.join(" ", list.names())).isEqualTo(names);
    assertThat(list.ignored()).isEqualTo(ignored);
    assertThat(list.problem()).isNull();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      textBlock =
          """
          {"models":[{"name":"a:1b","model":"a:1b"}]}          | a:1b
          {"models":[{"model":"a:1b"},{"id":"b"}]}             | a:1b b
          {"models":["a:1b"]}                                  | a:1b
          {"data":[{"id":"a"}]}                                | a
          [{"name":"a:1b"}]                                    | a:1b
          {"models":[{"name":"a","model":"b"}],"data":["c"]}   | a
          {"models":null}                                      | ``
          """)
  void readsThoseOfOllama(String json, String names) throws Exception {
    assertThat(String.join(" ", read(OLLAMA, json).names())).isEqualTo(names);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      textBlock =
          """
          {"status":"ok"}
          {"result":{"models":[]}}
          "ok"
          7
          true
          """)
  void findsNoListInOtherAnswers(String json) throws Exception {
    ModelList list = read(OPENAI, json);

    assertThat(list.source()).isEqualTo(ModelList.Source.NONE);
    assertThat(list.problem()).contains("without a list");
    assertThat(list.mayHave("any")).isTrue();
  }

  @Test
  void reportsAnErrorWithoutAList() {
    assertThatThrownBy(() -> read(OPENAI, "{\"error\":{\"message\":\"no\"}}"))
        .isInstanceOf(ProviderException.Unavailable.class);
  }

  @Test
  void limitsTheNumberAndTheLength() throws Exception {
    String many =
        IntStream.range(0, 1001)
            .mapToObj(i -> "\"m" + i + "\"")
            .collect(Collectors.joining(",", "[\"" + "x".repeat(201) + "\",", "]"));
    ModelList list = read(OPENAI, many);

    assertThat(list.names()).hasSize(1000).doesNotContain("m1000");
    assertThat(list.total()).isEqualTo(1001);
    assertThat(list.truncated()).isTrue();
    assertThat(list.mayHave("m1000")).as("a model beyond the limit").isTrue();
    assertThat(list.ignored()).isEqualTo(1);
    assertThat(read(OPENAI, "[\"a\"]").mayHave("b")).isFalse();
  }
}
