package dev.jarvis.document;

import static org.assertj.core.api.Assertions.assertThat;

import dev.jarvis.document.extract.Section;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Where texts are divided. */
class ChunkerTest {
  private static final int TOKENS = 32;

  private static List<Chunk> chunks(Section... sections) {
    return new Chunker(TOKENS, null).chunks(List.of(sections));
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

  /** Each letter is a token, as in Chinese with the tokenizer of an English model. */
  private record Letters(int tokens) implements EmbeddingWindow {
    @Override
    public int count(String text) {
      return (int) text.codePoints().filter(Character::isLetter).count();
    }

    @Override
    public int fit(String text, int maxTokens) {
      int at = 0;
      for (int letters = 0; at < text.length(); at += Character.charCount(text.codePointAt(at))) {
        letters += Character.isLetter(text.codePointAt(at)) ? 1 : 0;
        if (letters > maxTokens) {
          return at;
        }
      }
      return at;
    }
  }

  static List<String> texts() {
    return List.of(
        "The first sentence. " + "Another one that is longer than the first! ".repeat(30),
        "word ".repeat(500),
        "a".repeat(2_000),
        "漢字仮名交じり文。".repeat(200),
        "漢字".repeat(900),
        "- 1 2 3 . ".repeat(300),
        "\ud83d\udc26 gull, ".repeat(200),
        "Sentence one? " + "x".repeat(300) + " Sentence two. " + "y ".repeat(200));
  }

  @ParameterizedTest
  @MethodSource("texts")
  void noPassageIsLongerThanItsModelReads(String text) {
    Letters window = new Letters(100);
    String headings = "Harbour › " + "Of boats and their owners ".repeat(20) + "› Fees";
    for (String heading : List.of("", "Fees", headings, "h".repeat(5_000))) {
      List<Chunk> chunks = new Chunker(300, window).chunks(List.of(new Section(1, heading, text)));

      assertThat(chunks).isNotEmpty();
      for (Chunk chunk : chunks) {
        assertThat(window.count(chunk.inContext())).isLessThanOrEqualTo(100);
        assertThat(chunk.inContext().length()).isLessThanOrEqualTo(1_200);
        assertThat(heading).contains(chunk.heading());
      }
      assertThat(letters(text))
          .isSubsetOf(letters(String.join("", chunks.stream().map(Chunk::text).toList())));
      assertThat(chunks.stream().mapToInt(it -> window.count(it.text())).sum())
          .as("nothing is left out")
          .isGreaterThanOrEqualTo(window.count(text));
    }
  }

  private static List<Integer> letters(String text) {
    return text.codePoints().distinct().filter(it -> !Character.isWhitespace(it)).boxed().toList();
  }

  @Test
  void anInnerHeadingIsKeptRatherThanAnOuterOne() {
    String outer = "Regulations of the harbour ".repeat(40).strip();
    List<Chunk> chunks =
        new Chunker(100, null)
            .chunks(List.of(new Section(0, outer + " › Fees", "A night costs 14 euros.")));

    assertThat(chunks).extracting(Chunk::heading).containsExactly("Fees");
  }

  @Test
  void theEndOfALongQuestionIsRead() {
    Letters window = new Letters(9);

    assertThat(window.end("one")).isEqualTo("one");
    assertThat(window.end("a long question that ends")).isEqualTo("n that ends");
  }
}
