package dev.jarvis.provider.local;

import static org.assertj.core.api.Assertions.assertThat;

import dev.jarvis.json.SharedBuffers;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** The pieces of texts, compared with those of Hugging Face's library. */
class WordPiecesTest {
  private static WordPieces pieces;

  @BeforeAll
  static void read() throws IOException {
    pieces = WordPieces.read(EmbeddingModel.ALL_MINILM_L6_V2);
  }

  static List<String> cases() throws IOException {
    return Files.readAllLines(Path.of("src/test/resources/word-pieces.txt")).stream()
        .filter(it -> !it.startsWith("#"))
        .toList();
  }

  @ParameterizedTest
  @MethodSource("cases")
  void areThoseOfTheModelsOwnTokenizer(String line) throws IOException {
    int arrow = line.lastIndexOf(" =>");
    String text = SharedBuffers.mapper().readValue(line.substring(0, arrow), String.class);

    String ids =
        Arrays.stream(pieces.encode(text))
            .mapToObj(Integer::toString)
            .collect(Collectors.joining(" "));

    assertThat(ids).isEqualTo(line.substring(arrow + 3).strip());
    assertThat(pieces.count(text)).isEqualTo(pieces.encode(text).length);
  }

  /** The model must not take the end of a client's text for its own. */
  @Test
  void controlTokensInATextAreText() {
    assertThat(pieces.encode("[SEP] [CLS]")).doesNotContain(101, 102).hasSizeGreaterThan(4);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '"',
      value = {
        "one two three  | 2  | one two",
        "one two three  | 3  | one two three",
        "one two three  | 99 | one two three",
        "one, two       | 2  | one,",
        "embeddings too | 3  | \"\"", // one word of four pieces
        "embeddings too | 4  | embeddings",
        "漢字仮         | 2  | 漢字",
        "one            | 0  | \"\""
      })
  void fitWholeWords(String text, int maxPieces, String expected) {
    assertThat(text.substring(0, pieces.fit(text, maxPieces))).isEqualTo(expected);
  }

  @Test
  void fitAsManyAsAreCounted() {
    Random random = new Random(7);
    for (int i = 0; i < 2_000; i++) {
      String text =
          random
              .ints(random.nextInt(200), 0, 0x3400)
              .map(it -> random.nextInt(3) == 0 ? it : 'a' + it % 26)
              .mapToObj(Character::toString)
              .collect(Collectors.joining());
      int most = random.nextInt(60);

      String fitting = text.substring(0, pieces.fit(text, most));

      assertThat(pieces.count(fitting)).as(text).isLessThanOrEqualTo(most);
      assertThat(pieces.count(fitting) + pieces.count(text.substring(fitting.length())))
          .isEqualTo(pieces.count(text));
    }
  }

  /** Quadratic time would take hours. */
  @Test
  @Timeout(60)
  void takeLinearTimeForHostileTexts() {
    for (String piece : List.of("a", "a ", "[", "漢", "\u0301", "zq" + "x".repeat(97) + " ")) {
      assertThat(pieces.count(piece.repeat(2_000_000 / piece.length()))).isNotNegative();
    }
  }
}
