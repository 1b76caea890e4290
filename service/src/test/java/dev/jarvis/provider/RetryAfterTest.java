package dev.jarvis.provider;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.http.HttpHeaders;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RetryAfterTest {
  private static final Instant NOW = Instant.parse("2026-03-01T12:00:00Z");

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "retry-after: 7 | 7000",
        "retry-after: 0 | 0",
        "retry-after: 1.5 | 1500",
        "retry-after: -3 | 0",
        "retry-after: 7s | 0",
        "retry-after: 86401 | 86400000",
        "retry-after: 999999999999999999 | 86400000",
        "retry-after: 9999999999999999999999 | 0",
        "retry-after: Sun, 01 Mar 2026 12:00:20 GMT | 20000",
        "retry-after: Sun, 01 Mar 2026 11:00:00 GMT | 0",
        "retry-after: Sun, 01 Mar 2037 12:00:00 GMT | 86400000",
        "retry-after: tomorrow | 0",
        "retry-after-ms: 250 | 250",
        "retry-after-ms: 250; retry-after: 7 | 250",
        "retry-after-ms: x; retry-after: 7 | 7000",
        "x: 1 | 0"
      })
  void reads(String headers, long millis) {
    Map<String, List<String>> map =
        Stream.of(headers.split("; "))
            .map(it -> it.split(": ", 2))
            .collect(Collectors.toMap(it -> it[0], it -> List.of(it[1])));

    assertThat(RetryAfter.of(HttpHeaders.of(map, (a, b) -> true), NOW))
        .isEqualTo(Duration.ofMillis(millis));
  }
}
