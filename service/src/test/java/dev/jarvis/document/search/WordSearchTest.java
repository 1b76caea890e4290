package dev.jarvis.document.search;

import static org.assertj.core.api.Assertions.assertThat;

import dev.jarvis.document.IndexedDocument;
import dev.jarvis.document.TestDocuments;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Which passages are found by the words of a question. */
class WordSearchTest {
  @AutoClose private static final TestDocuments documents = TestDocuments.onSharedServer();
  private static final WordSearch words = new WordSearch(documents.database(), null);

  private static void add(String user, List<String> texts) {
    IndexedDocument.add(documents.database(), user, texts, null, List.of());
  }

  private static List<Integer> found(String user, String question) {
    return words.search(SearchedFiles.of(user), question, 5).stream()
        .map(it -> it.passage().ordinal())
        .toList();
  }

  @Test
  void aRareWordOutweighsACommonOneHoweverManyPassagesRepeatIt() {
    List<String> texts = new ArrayList<>();
    for (int i = 0; i < 1_500; i++) {
      texts.add("Harbour harbour harbour notice " + i);
    }
    texts.add("The harbour light is called Balthazar, after a long story that is told elsewhere.");
    add("rare", texts);
    assertThat(found("rare", "Which harbour is Balthazar's?").getFirst()).isEqualTo(1_500);
  }

  @Test
  void theEndOfALongQuestionIsUsed() {
    add("long", List.of("Anchors are forged.", "The zephyr is a wind."));
    String before =
        IntStream.range(0, 200).mapToObj(i -> "a" + i + "x").collect(Collectors.joining(" "));
    assertThat(found("long", before + " What is a zephyr?")).containsExactly(1);
  }

  @Test
  void severalWordsOutweighOne() {
    add("several", List.of("A gull.", "A tern and a gull.", "A tern, a gull and a cormorant."));
    assertThat(found("several", "gull tern cormorant")).containsExactly(2, 1, 0);
  }

  @Test
  void aQuestionWithoutKnownWordsFindsNothing() {
    add("nothing", List.of("Some words."));
    for (String question : List.of("?", "the", "' | & \\ ' :*", "absent")) {
      assertThat(found("nothing", question)).as(question).isEmpty();
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        // Unicode
        "The oﬃce is closed. | office",
        "The office is closed. | oﬃce",
        "A café at the port. | cafe\u0301",
        "A cafe\u0301 at the port. | CAFÉ",
        "The har\u00ADbour master. | harbour",
        "Ｆｕｌｌ width. | full",
        "Half ｺﾝﾋﾟｭｰﾀ. | コンピュータ",
        "İstanbul | istanbul",
        "Die STRASSE. | Straße",
        "ΛΙΜΈΝΑΣ | λιμένας",
        "A boat of ١٤ m. | 14",
        "Volume in m³. | m3",
        "The harbour¹ is old. | harbour",
        "JARVIS™ works. | jarvis",
        // identifiers, addresses, numbers
        "See src/main/App.java. | App.java",
        "See src/main/App.java. | App",
        "See src/main/App.java. | src/main",
        "Write to ann.lee@mail.example.org. | ann.lee@mail.example.org",
        "Write to ann.lee@mail.example.org. | Lee",
        "Write to ann.lee@mail.example.org. | example.org",
        "At https://docs.example.org/guide/tides?x=1. | tides",
        "At https://docs.example.org/guide/tides?x=1. | docs.example.org",
        "The column user_id. | user",
        "The column user_id. | userId",
        "Use std::vector here. | vector",
        "Use std::vector here. | std::vector",
        "A well-known harbour. | known",
        "Send an e-mail. | email",
        "The parseHTMLText function. | html",
        "The parseHTMLText function. | parsehtmltext",
        "A bag of 8kg. | 8 kg",
        "A bag of 8 kg. | 8kg",
        "Version 1.2.3 is out. | 1.2.3",
        "It costs 14,50 euros. | 14.50",
        "All infor-↵mation is here. | information",
        // languages without spaces
        "港口费用每晚一百元 | 港口",
        "港口费用每晚一百元 | 费用是多少",
        "港口费用每晚一百元 | 元",
        "港口费用每晚一百元 | 港",
        "港の料金は一晩百円です。 | 料金",
        "コンピューターの港です。 | コンピューター",
        "항구는 아름답다. | 항구",
        "ค่าธรรมเนียมท่าเรือคืนละหนึ่งร้อยบาท | ท่าเรือ",
        "น้ำดื่มและห้องน้ำ | น้ำดื่ม",
        "ຄ່າທຳນຽມທ່າເຮືອຄືນລະໜຶ່ງຮ້ອຍກີບ | ທ່າເຮືອ",
        "ថ្លៃកំពង់ផែក្នុងមួយយប់គឺមួយរយដុល្លារ | កំពង់ផែ",
        "ဆိပ်ကမ်းကြေးတစ်ညလျှင်တစ်ရာကျပ်ဖြစ်သည် | ဆိပ်ကမ်း",
      })
  void findsWhatAReaderSees(String passage, String question) {
    String user = "seen " + passage + question;
    IndexedDocument.add(
        documents.database(), user, "simple", List.of("Nothing.", passage.replace('↵', '\n')));
    assertThat(found(user, question)).containsExactly(1);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "A café. | cafe | accents distinguish words",
        "15 boats. | 1.5 | numbers with a separator are not the digits alone",
        "港の料金 | 港口 | pairs of characters",
      })
  void doesNotFindOtherWords(String passage, String question, String reason) {
    String user = "other " + passage;
    IndexedDocument.add(documents.database(), user, "simple", List.of(passage));
    assertThat(found(user, question)).as(reason).isEmpty();
  }

  @Test
  void aQuestionIsMatchedInTheLanguageOfEachDocument() {
    IndexedDocument.add(documents.database(), "mixed", "english", List.of("The harbours close."));
    IndexedDocument.add(documents.database(), "mixed", "french", List.of("Les bateaux partent."));
    IndexedDocument.add(documents.database(), "mixed", "simple", List.of("港口 und closed"));
    IndexedDocument.add(documents.database(), "another", "english", List.of("The harbour closes."));
    assertThat(documents("mixed", "closing")).hasSize(1);
    assertThat(documents("mixed", "bateau")).hasSize(1);
    assertThat(documents("mixed", "closed harbour")).hasSize(2);
    assertThat(documents("mixed", "port 港 harbour bateau")).hasSize(3);
  }

  /** During a rollout, and after a rollback, releases that do not know versions write too. */
  @Test
  void wordsThatAnOlderReleaseMakesOfADocumentThatIsReadAgainAreFound() {
    UUID id = IndexedDocument.add(documents.database(), "old", "french", List.of("Les bateaux."));
    String row = " WHERE id = '%s'".formatted(id);
    documents.sql("UPDATE documents SET stage = 'extract', state = 'pending'" + row);
    documents.sql("DELETE FROM document_chunks WHERE document_id = '%s'".formatted(id));
    documents.sql(
        """
        INSERT INTO document_chunks (document_id, ordinal, text, tokens, words)
        VALUES ('%s', 0, 'The boats leave.', 4, to_tsvector('english', 'The boats leave.'))"""
            .formatted(id));
    documents.sql("UPDATE documents SET stage = 'index'" + row);
    documents.sql("UPDATE documents SET state = 'done'" + row);

    assertThat(found("old", "boat")).containsExactly(0);
    assertThat(documents.number("SELECT CAST(index_version AS bigint) AS n FROM documents" + row))
        .as("a worker of this release makes them again")
        .isZero();
  }

  @Test
  void wordsOfOlderReleasesAreFoundWhateverIsConfiguredNow() {
    UUID id = IndexedDocument.add(documents.database(), "v0", "simple", List.of("The harbours."));
    documents.sql(
        "UPDATE documents SET index_version = 0, text_search = NULL WHERE id = '%s'".formatted(id));
    for (String made : List.of("english", "french")) {
      documents.sql(
          "UPDATE document_chunks SET user_id = NULL, text_search = NULL, words = to_tsvector('%s', 'harbours bateaux') WHERE document_id = '%s'"
              .formatted(made, id));
      WordSearch french = new WordSearch(documents.database(), "french");
      assertThat(french.search(SearchedFiles.of("v0"), "harbours", 5)).as(made).hasSize(1);
      assertThat(french.search(SearchedFiles.of("v0"), "bateaux", 5)).as(made).hasSize(1);
    }
  }

  private static List<UUID> documents(String user, String question) {
    return words.search(SearchedFiles.of(user), question, 5).stream()
        .map(it -> it.passage().documentId())
        .toList();
  }

  @ParameterizedTest
  @MethodSource("extremes")
  void passagesOfEveryKindAreIndexed(String passage, String question) {
    String user = "extreme " + question;
    IndexedDocument.add(documents.database(), user, "english", List.of(passage));
    assertThat(found(user, question)).containsExactly(0);
  }

  static Stream<Arguments> extremes() {
    String distinct =
        IntStream.range(0, 20_000).mapToObj(Integer::toString).collect(Collectors.joining(" "));
    String hanzi =
        IntStream.range(0x4E00, 0x9F00).mapToObj(Character::toString).collect(Collectors.joining());
    return Stream.of(
        Arguments.of("x".repeat(32_000), "x".repeat(32_000)),
        Arguments.of("boat " + "y".repeat(32_000), "boat"),
        Arguments.of("😀".repeat(8_000) + " smile", "smile"),
        Arguments.of("\uFDFA".repeat(32_000), "\uFDFA"),
        Arguments.of("a\u0301\u0302".repeat(10_000) + " mark", "a\u0301\u0302".repeat(10_000)),
        Arguments.of(distinct, "777"),
        Arguments.of(hanzi, "丁"),
        Arguments.of("-".repeat(32_000) + " dash", "dash"),
        Arguments.of("a-".repeat(16_000) + " b", "aa"));
  }
}
