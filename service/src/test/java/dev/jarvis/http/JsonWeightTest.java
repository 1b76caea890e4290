package dev.jarvis.http;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.management.ThreadMXBean;
import dev.jarvis.json.SharedBuffers;
import java.io.StringReader;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class JsonWeightTest {
  private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();
  private static final int COUNT = 50_000;

  private final ObjectMapper mapper = SharedBuffers.mapper();

  /** The bytes allocated, which are slightly more than the bytes kept. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "{}",
        "[]",
        "[{}]",
        "[[]]",
        "1",
        "123456",
        "\"a\"",
        "\"abcdefgh\"",
        "\"€€€€€€€€€€€€€€€€€€€€€€€€€€€\"",
        "null",
        "{\"\":0}",
        "{\"\":{}}",
        "{\"a\":0,\"b\":0,\"c\":0,\"d\":0}",
        "{\"role\":\"user\",\"content\":\"hi\"}",
        "[1,1,1,1,1,1,1,1,1,1,1]"
      })
  void isAnUpperBound(String value) throws Exception {
    String text = "[" + (value + ",").repeat(COUNT - 1) + value + "]";
    int bytes = text.getBytes(StandardCharsets.UTF_8).length;

    long counted = counted(text, bytes);
    long before = THREADS.getCurrentThreadAllocatedBytes();
    JsonNode tree = mapper.readTree(new StringReader(text));
    long allocated = THREADS.getCurrentThreadAllocatedBytes() - before;

    assertThat(tree).hasSize(COUNT);
    assertThat(counted).isGreaterThanOrEqualTo(allocated);
    assertThat(JsonWeight.assumed(bytes)).isGreaterThanOrEqualTo(allocated);
  }

  private long counted(String text, int bytes) throws Exception {
    try (JsonParser parser = mapper.createParser(new StringReader(text))) {
      return JsonWeight.counted(parser, bytes);
    }
  }
}
