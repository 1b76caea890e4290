package dev.jarvis.document;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A passage with the headings above it. */
class ChunkTest {
  private static Chunk chunk(String heading, String text) {
    return new Chunk(0, 0, heading, text, Chunk.tokens(text));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "              | 14 euros.        | 14 euros.",
        "Fees          | 14 euros.        | Fees↵14 euros.",
        "Fees          | Fees↵14 euros.   | Fees↵14 euros.",
        "Fees › Boats  | Boats↵14 euros.  | Fees↵Boats↵14 euros.",
        "Fees › Boats  | Boats            | Fees↵Boats",
        "Fees › Boats  | Boatswain.       | Fees › Boats↵Boatswain.",
        "Fees › Boats  | Fees↵14 euros.   | Fees › Boats↵Fees↵14 euros."
      })
  void noHeadingIsReadTwice(String heading, String text, String context) {
    Chunk chunk = chunk(heading == null ? "" : heading, text.replace('↵', '\n'));
    assertThat(chunk.inContext()).isEqualTo(context.replace('↵', '\n'));
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "Fees", "Fees › Boats", "Regulations of the harbour › Fees", "Gulls"})
  void aTruncatedPassageFitsWithItsHeadings(String heading) {
    for (String text : new String[] {"Gulls\nare ".repeat(40), "🐦".repeat(100)}) {
      for (int tokens = 1; tokens < 60; tokens++) {
        Chunk chunk = chunk(heading, text).truncated(tokens);
        assertThat(chunk.tokensInContext()).isBetween(1, tokens);
        assertThat(text).startsWith(chunk.text());
      }
      assertThat(chunk(heading, text).truncated(60).heading()).isEqualTo(heading);
    }
  }
}
