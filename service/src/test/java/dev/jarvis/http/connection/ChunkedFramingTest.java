package dev.jarvis.http.connection;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

public class ChunkedFramingTest {
  private static final String NEXT_REQUEST = "GET / HTTP/1.1\r\n";

  /** Well-formed bodies whose content is {@code {}}. */
  static Stream<String> wellFormed() {
    return Stream.of(
        "2\r\n{}\r\n0\r\n\r\n",
        "1\r\n{\r\n1\r\n}\r\n0\r\n\r\n",
        "00000002\r\n{}\r\n00\r\n\r\n",
        "A\r\n{        }\r\n0\r\n\r\n",
        "a\r\n{\r\n\r\n\r\n\r\n}\r\n0\r\n\r\n",
        "2;a=b\r\n{}\r\n0\r\n\r\n",
        "2 ; a\r\n{}\r\n0\r\n\r\n",
        "2\t;a=\"b;c\"\r\n{}\r\n0;end\r\n\r\n",
        "2;\r\n{}\r\n0\r\n\r\n",
        "2;" + "a".repeat(9_000) + "\r\n{}\r\n0\r\n\r\n",
        "2\r\n{}\r\n0\r\nX-A: b\r\n\r\n",
        "2\r\n{}\r\n0\r\nX-A:\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
        "1;a\r\n{\r\n1;b\r\n}\r\n0;c\r\nX-A: \tb\r\nX-B: c\r\n\r\n");
  }

  public static Stream<String> malformed() {
    Stream<String> sizes =
        Stream.of(
                "+2",
                "-2",
                "0x2",
                "zz",
                "",
                " 2",
                "2 ",
                "2\t",
                "2_",
                "2.",
                ";a=b",
                "2 a",
                "2 ;a\0",
                "2;a\n",
                "2;\n",
                "2;\ra",
                "2;a=\"\n\"",
                "2;\u00e9",
                "2;" + "a".repeat(17_000),
                "\u00b2",
                "000000002",
                "ffffffff",
                "100000002",
                "ffffffffff",
                "10000000000000002",
                "2\n",
                "2\r",
                "\n2",
                "\r2")
            .map(it -> it + "\r\n{}\r\n0\r\n\r\n");
    return Stream.concat(
        sizes,
        Stream.of(
            "2\n{}\r\n0\r\n\r\n",
            "2\r{}\r\n0\r\n\r\n",
            "2\n{}\n0\n\n",
            "2\r\n{}xx0\r\n\r\n",
            "2\r\n{}\n\n0\r\n\r\n",
            "2\r\n{}0\r\n\r\n",
            "2\r\n{}}\r\n0\r\n\r\n",
            "2\r\n{}\r\n+0\r\n\r\n",
            "2\r\n{}\r\n-0\r\n\r\n",
            "2\r\n{}\r\n0\r\nxx\r\n\r\n",
            "2\r\n{}\r\n0\r\nX-A : b\r\n\r\n",
            "2\r\n{}\r\n0\r\n X-A: b\r\n\r\n",
            "2\r\n{}\r\n0\r\nX-A: b\r\n c\r\n\r\n",
            "2\r\n{}\r\n0\r\nX-A: b\n\r\n",
            "2\r\n{}\r\n0\r\nX-A: b\rc\r\n\r\n",
            "2\r\n{}\r\n0\r\nX-A: \0\r\n\r\n",
            "2\r\n{}\r\n0\r\nGET / HTTP/1.1\r\n\r\n",
            "2\r\n{}\r\n0\r\nX-A: " + "b".repeat(17_000) + "\r\n\r\n",
            "2\r\n{}\r\n0\r\n\n",
            "2\r\n{}\r\n0\n\r\n"));
  }

  @ParameterizedTest
  @MethodSource("wellFormed")
  void wellFormedChunksHaveOneReadingHoweverTheyAreSplit(String body) {
    String whole = body + NEXT_REQUEST;
    String canonical = canonical(whole, whole.length());

    assertThat(canonical).endsWith("0\r\n\r\n" + NEXT_REQUEST).doesNotContain(";", "X-A");
    for (int block : blocks(whole)) {
      assertThat(canonical(whole, block)).as("in blocks of %d", block).isEqualTo(canonical);
    }
  }

  @ParameterizedTest
  @MethodSource("malformed")
  void malformedChunksAreRefusedHoweverTheyAreSplit(String body) {
    for (int block : blocks(body)) {
      assertThat(canonical(body + NEXT_REQUEST, block)).as("in blocks of %d", block).isNull();
    }
  }

  @Test
  void extensionsAndTrailersAreTakenOut() {
    assertThat(canonical("2 ;a=b\r\n{}\r\n0;c\r\nX-A: b\r\n\r\n" + NEXT_REQUEST, 3))
        .isEqualTo("2\r\n{}\r\n0\r\n\r\n" + NEXT_REQUEST);
  }

  /** Each size for short texts. */
  private static int[] blocks(String text) {
    return text.length() > 1_000
        ? new int[] {1, 7, 8_192, 20_000}
        : IntStream.rangeClosed(1, text.length()).toArray();
  }

  private static @Nullable String canonical(String text, int block) {
    byte[] bytes = text.getBytes(StandardCharsets.ISO_8859_1);
    ChunkedFraming framing = new ChunkedFraming();
    StringBuilder canonical = new StringBuilder();
    for (int at = 0; at < bytes.length; at += block) {
      byte[] next =
          framing.canonical(Arrays.copyOfRange(bytes, at, Math.min(at + block, bytes.length)));
      if (next == null) {
        return null;
      }
      canonical.append(new String(next, StandardCharsets.ISO_8859_1));
    }
    return canonical.toString();
  }
}
