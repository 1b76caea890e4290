package dev.jarvis.http.connection;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.stream.Stream;
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
        "a\r\n{\r\n\r\n\r\n\r\n}\r\n0\r\n\r\n");
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
                "2;a=b",
                "2 ; a",
                "2;\n",
                "2;\ra",
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
            "2\r\n{}\r\n0\r\nX-A: b\r\n\r\n",
            "2\r\n{}\r\n0\r\nxx",
            "2\r\n{}\r\n0\r\n\n",
            "2\r\n{}\r\n0\n\r\n"));
  }

  @ParameterizedTest
  @MethodSource("wellFormed")
  void acceptsWellFormedChunksHoweverTheyAreSplit(String body) {
    for (int block = 1; block <= body.length(); block++) {
      assertThat(accepts(body + NEXT_REQUEST, block)).as("in blocks of %d", block).isTrue();
    }
  }

  @ParameterizedTest
  @MethodSource("malformed")
  void refusesMalformedChunksHoweverTheyAreSplit(String body) {
    for (int block = 1; block <= body.length(); block++) {
      assertThat(accepts(body + NEXT_REQUEST, block)).as("in blocks of %d", block).isFalse();
    }
  }

  private static boolean accepts(String text, int block) {
    byte[] bytes = text.getBytes(StandardCharsets.ISO_8859_1);
    ChunkedFraming framing = new ChunkedFraming();
    boolean accepted = true;
    for (int at = 0; at < bytes.length && accepted; at += block) {
      accepted = framing.accepts(Arrays.copyOfRange(bytes, at, Math.min(at + block, bytes.length)));
    }
    return accepted;
  }
}
