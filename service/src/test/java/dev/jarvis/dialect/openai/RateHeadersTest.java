package dev.jarvis.dialect.openai;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RateHeadersTest {
  @ParameterizedTest
  @CsvSource({
    "0, 0s",
    "1, 1ms",
    "120, 120ms",
    "999, 999ms",
    "1000, 1s",
    "1001, 2s",
    "59_900, 1m0s",
    "60_001, 1m1s",
    "360_000, 6m0s"
  })
  void timesAreWrittenAsOpenAiWritesThem(String millis, String text) {
    Duration time = Duration.ofMillis(Long.parseLong(millis.replace("_", "")));
    assertThat(RateHeaders.time(time)).isEqualTo(text);
  }
}
