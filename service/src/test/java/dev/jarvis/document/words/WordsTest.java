package dev.jarvis.document.words;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The words of texts; what PostgreSQL finds by them is WordSearchTest's. */
class WordsTest {
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "'' | ''",
        "… ! — | ''",
        "A tern, a gull. | a tern a gull",
        "the keeper's cat | the keeper s cat",
        "src/main/App.java | src main srcmain app mainapp java appjava",
        "snake_case | snake case snakecase",
        "parseHTMLText | parsehtmltext parse html text",
        "https://a.org | https a httpsa org aorg",
        "a ---- b | a b",
        "1.2.3 | 1 2 1.2 3 2.3",
        "1,000 | 1 000 1.000",
        "one,two | one two",
        "8kg | 8kg 8 kg",
        "a1b2c3d4e5 | a1b2c3d4e5",
        "m² | m 2 m2",
        "½ | 1 2 1.2",
        "co-\\noperate | co operate cooperate",
        "Tern-\\nGull | tern gull",
        "港口abc港 | 港口 口 abc 港",
        "ﬁsh™ | fish",
      })
  void dividesTexts(String text, String words) {
    assertThat(Words.ofPassage(text.replace("\\n", "\n")).strip()).isEqualTo(words);
  }

  @Test
  void aQuestionOfOneCharacterIsABeginning() {
    assertThat(Words.ofQuestion("港 港口").prefixes()).containsExactly("港");
    assertThat(Words.ofQuestion("港 港口").words().strip()).isEqualTo("港口");
    assertThat(Words.ofQuestion("港 ".repeat(100)).prefixes()).hasSizeLessThan(10);
  }

  @Test
  void wordsAreBounded() {
    assertThat(Words.ofPassage("x".repeat(1_000_000)).strip()).hasSize(255);
    assertThat(Words.ofPassage("ab ".repeat(1_000_000))).hasSizeLessThan(210_000);
    assertThat(Words.ofPassage("\uFDFA".repeat(1_000_000))).hasSizeLessThan(210_000);
    String rare = Words.ofPassage("a" + "\uD801\uDC28".repeat(300)).strip();
    assertThat(rare.codePoints()).as("no half of a character").allMatch(Character::isLetter);
  }
}
