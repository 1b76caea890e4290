package dev.jarvis.provider;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import dev.jarvis.error.ApiException;
import dev.jarvis.provider.EventReader.Framing;
import java.io.ByteArrayInputStream;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The values in the lines of an answer. */
class EventReaderTest {
  private static List<String> line(EventReader reader, String line) throws Exception {
    return reader.line(line.getBytes(UTF_8)).stream().map(JsonNode::toString).toList();
  }

  @Test
  void readsAllValuesOfALine() throws Exception {
    for (Framing framing : Framing.values()) {
      for (String prefix : new String[] {"", "data: "}) {
        EventReader reader = new EventReader(framing, size -> {});
        assertThat(line(reader, prefix + "{\"a\":1}{\"b\":2} {\"c\":3}"))
            .containsExactly("{\"a\":1}", "{\"b\":2}", "{\"c\":3}");
        assertThat(reader.end()).isEmpty();
      }
    }
  }

  @Test
  void nothingAfterAValueIsDropped() throws Exception {
    EventReader reader = new EventReader(Framing.EVENTS, size -> {});
    assertThat(line(reader, "data: {\"a\":1}{\"b\":")).isEmpty();
    assertThat(line(reader, "data: 2}")).isEmpty();
    assertThat(line(reader, "")).containsExactly("{\"a\":1}", "{\"b\":2}");
    assertThat(line(reader, "data: {\"a\":1} x")).isEmpty();
    assertThatThrownBy(() -> line(reader, "")).isInstanceOf(ProviderException.class);
  }

  @Test
  void reservesMemoryForAValueOfManyLines() throws Exception {
    LargeLines memory = new LargeLines(3 << 20);
    try (LineReader lines = new LineReader(new ByteArrayInputStream(new byte[0]), 9, memory)) {
      EventReader reader = new EventReader(Framing.EVENTS, lines::reserve);
      String half = "\"" + "a".repeat(1 << 19) + "\",";
      line(reader, "data: [" + half);
      assertThat(memory.reserved()).isZero();
      for (int i = 0; i < 3; i++) {
        line(reader, "data: " + half);
      }
      assertThat(memory.reserved()).isEqualTo(3 << 20);
      line(reader, "data: " + half);
      assertThatThrownBy(() -> line(reader, "data: " + half))
          .isInstanceOf(ApiException.Overloaded.class);
    }
    assertThat(memory.reserved()).isZero();
  }
}
