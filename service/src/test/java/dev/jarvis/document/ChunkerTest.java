package dev.jarvis.document;

import static org.assertj.core.api.Assertions.assertThat;

import dev.jarvis.document.extract.Section;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Where texts are divided. */
class ChunkerTest {
  private static final int TOKENS = 32;

  private static List<Chunk> chunks(Section... sections) {
    return new Chunker(TOKENS).chunks(List.of(sections));
  }

  @Test
  void cutsAtTheEndsOfSentencesAndRepeatsTheLast() {
    String text =
        "The first sentence has so many letters that it fills a line. One more."
            + " This one goes over the limit of a passage, so it begins another.";
    List<Chunk> chunks = chunks(new Section(0, "", text));
    assertThat(chunks).hasSize(2);
    assertThat(chunks.get(0).text()).endsWith("One more.");
    assertThat(chunks.get(1).text()).startsWith("One more. This one").endsWith("another.");
  }

  @Test
  void keepsPagesApart() {
    assertThat(chunks(new Section(1, "", "On one page."), new Section(2, "", "On the next.")))
        .extracting(Chunk::ordinal, Chunk::page, Chunk::text)
        .containsExactly(
            org.assertj.core.groups.Tuple.tuple(0, 1, "On one page."),
            org.assertj.core.groups.Tuple.tuple(1, 2, "On the next."));
  }

  @Test
  void cutsLongSentencesBetweenWords() {
    List<Chunk> chunks = chunks(new Section(0, "", "word ".repeat(100)));
    assertThat(chunks).allSatisfy(it -> assertThat(it.text()).matches("(word ?)+"));
  }

  @Test
  void cutsRowsAndProgramsBetweenLines() {
    String row = "Name: Anna. Berth: 9. Fee: 14.50 euros a night.\n";
    assertThat(chunks(new Section(0, "", row.repeat(9), true)))
        .hasSizeGreaterThan(3)
        .allSatisfy(it -> assertThat(it.text() + "\n").matches("(?:" + row + ")+"));
    String function = "def a():\n  x = 1\n  y = 2\n  return x + y\n\n";
    assertThat(chunks(new Section(0, "", function.repeat(8), true)))
        .hasSizeGreaterThan(2)
        .allSatisfy(it -> assertThat(it.text()).startsWith("def a():").endsWith("x + y"));
  }

  @Test
  void neverDividesASurrogatePair() {
    String gulls = "\ud83d\udc26".repeat(301);
    assertThat(chunks(new Section(0, "", "a" + gulls)))
        .allSatisfy(
            it -> {
              assertThat(it.text().length()).isLessThanOrEqualTo(4 * TOKENS);
              assertThat(Character.isLowSurrogate(it.text().charAt(0))).isFalse();
            });
  }

  @ParameterizedTest
  @ValueSource(strings = {"a", "? ", ". 1 ", "\u202f", "\ud83d\udc26"})
  @Timeout(value = 60, unit = TimeUnit.SECONDS) // quadratic time would take days
  void takesLinearTimeForHostileTexts(String piece) {
    assertThat(chunks(new Section(0, "", piece.repeat(4_000_000 / piece.length())))).isNotEmpty();
  }
}
