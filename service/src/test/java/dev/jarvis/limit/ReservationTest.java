package dev.jarvis.limit;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jarvis.TestService;
import dev.jarvis.gateway.ChatRequest;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ReservationTest {
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "                                             | 258",
        "'max_tokens': 10                             | 12",
        "'max_tokens': 5000                           | 258",
        "'n': 3                                       | 770",
        "'n': 3, 'max_tokens': 10                     | 32",
        "'n': null                                    | 258",
        "'grounding': {}                              | 1258",
        "'grounding': {'max_tokens': 100}             | 358",
        "'grounding': null                            | 258",
        "'grounding': {'max_tokens': 100}, 'n': 2     | 614"
      })
  void answersAndPassagesAreReserved(String fields, long tokens) {
    String rest = fields == null ? "" : ", " + fields.replace('\'', '"');
    ObjectNode body =
        (ObjectNode)
            TestService.json(
                "{\"messages\": [{\"role\": \"user\", \"content\": \"12345678\"}]" + rest + "}");
    assertThat(new Reservation(256, 1000).tokens(new ChatRequest("m", body))).isEqualTo(tokens);
  }
}
