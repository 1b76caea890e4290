package dev.jarvis.provider;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.jarvis.error.ApiException;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class LineReaderTest {
  private static final int MIB = 1 << 20;

  private final LargeLines memory = new LargeLines(8 * MIB);

  /** A stream that gives at most this many bytes at once. */
  private static InputStream inPieces(byte[] bytes, int most) {
    return new ByteArrayInputStream(bytes) {
      @Override
      public synchronized int read(byte[] to, int offset, int length) {
        return super.read(to, offset, Math.min(length, most));
      }
    };
  }

  private List<String> lines(String text, int most) throws IOException {
    List<String> lines = new ArrayList<>();
    InputStream in = inPieces(text.getBytes(StandardCharsets.UTF_8), most);
    try (LineReader reader = new LineReader(in, 64, memory)) {
      for (byte[] line = reader.next(); line != null; line = reader.next()) {
        lines.add(new String(line, StandardCharsets.UTF_8));
      }
    }
    return lines;
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 7, 8192})
  void endsLinesWithLineFeedsCarriageReturnsOrBoth(int most) throws Exception {
    for (String end : new String[] {"\n", "\r", "\r\n"}) {
      String text = "\uFEFFa" + end + end + "wörld" + end + "\uFEFFb";

      assertThat(lines(text, most)).containsExactly("a", "", "wörld", "\uFEFFb");
    }
    assertThat(lines("a\n\rb\r\n", most)).containsExactly("a", "", "b");
    assertThat(lines("", most)).isEmpty();
  }

  @Test
  void doesNotWaitForALineFeedAfterACarriageReturn() throws Exception {
    InputStream in =
        new InputStream() {
          private boolean given;

          @Override
          public int read() {
            throw new IllegalStateException("waits");
          }

          @Override
          public int read(byte[] to, int offset, int length) {
            if (given) {
              throw new IllegalStateException("waits");
            }
            given = true;
            to[offset] = 'a';
            to[offset + 1] = '\r';
            return 2;
          }
        };

    assertThat(new LineReader(in, 64, memory).next()).containsExactly('a');
  }

  @Test
  void namesTheLimitOfALine() {
    assertThatThrownBy(() -> lines("x".repeat(65), 10))
        .isInstanceOf(AnswerTooLongException.class)
        .hasMessage("The model server's event is longer than the maximum of 64 bytes.");
  }

  @Test
  void reservesTheMemoryOfLargeLinesUntilItIsClosed() throws Exception {
    byte[] large = new byte[5 * MIB];
    LineReader first = new LineReader(new ByteArrayInputStream(large), 16 * MIB, memory);
    LineReader second = new LineReader(new ByteArrayInputStream(large), 16 * MIB, memory);

    assertThat(first.next()).hasSize(5 * MIB);
    assertThat(memory.reserved()).isEqualTo(5 * MIB);
    assertThatThrownBy(second::next)
        .isInstanceOf(ApiException.Overloaded.class)
        .hasMessageContaining("more than 8 MiB");

    first.close();
    second.close();
    assertThat(memory.reserved()).isZero();
  }

  @Test
  void smallLinesReserveNothing() throws Exception {
    try (LineReader reader = new LineReader(inPieces(new byte[MIB], 8192), 16 * MIB, memory)) {
      assertThat(reader.next()).hasSize(MIB);
      assertThat(memory.reserved()).isZero();
    }
  }
}
