package dev.jarvis.provider;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.jarvis.fuzz.Fuzz;
import dev.jarvis.json.SharedBuffers;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Mutated lists of models. */
@Timeout(600)
class ModelListFuzzTest {
  private static final ObjectMapper JSON = SharedBuffers.mapper();
  private static final ModelListReader READER =
      new ModelListReader(List.of("data", "models"), List.of("id", "name", "model"));

  @Test
  void listsFailAsTheyMay() {
    Fuzz.run(
        List.of(
            "{\"object\":\"list\",\"data\":[{\"id\":\"a\",\"owned_by\":\"x\"},{\"id\":\"b\"}]}",
            "[{\"id\":\"a\",\"name\":\"A\"},{\"id\":\"b\"}]",
            "[\"a\",\"b\"]",
            "{\"models\":[{\"name\":\"a:1b\",\"model\":\"a:1b\",\"size\":1},{\"model\":\"b\"}]}",
            "{\"error\":{\"message\":\"no\"}}"),
        (input, random) -> {
          try {
            ModelList list = READER.read(JSON.readTree(input));
            assertThat(list.names())
                .hasSizeLessThanOrEqualTo(ModelList.LIMIT)
                .doesNotHaveDuplicates();
            assertThat(list.names()).allMatch(ModelList::isValidName);
          } catch (JsonProcessingException | ProviderException e) {
            // an invalid list
          }
        });
  }
}
