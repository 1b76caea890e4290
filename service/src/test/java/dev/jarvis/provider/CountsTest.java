package dev.jarvis.provider;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class CountsTest {
  @ParameterizedTest
  @CsvSource({
    "0, 0",
    "12, 12",
    "12.0, 12",
    "1.2e1, 12",
    "2147483647, 2147483647",
    "'\"12\"', 12",
    "'\" 12 \"', 12",
    "'\"12.0\"', 12",
    "null, -1",
    "-1, -2",
    "12.5, -2",
    "2147483648, -2",
    "1e300, -2",
    "'\"2147483648\"', -2",
    "'\"\"', -2",
    "'\"-1\"', -2",
    "'\"1e3\"', -2",
    "true, -2",
    "[], -2",
    "{}, -2"
  })
  void takesExactIntegersInAnyForm(String json, int count) throws Exception {
    assertThat(Counts.of(new ObjectMapper().readTree(json))).isEqualTo(count);
  }
}
