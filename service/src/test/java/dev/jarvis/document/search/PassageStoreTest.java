package dev.jarvis.document.search;

import static org.assertj.core.api.Assertions.assertThat;

import dev.jarvis.document.IndexedDocument;
import dev.jarvis.document.TestDocuments;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Which passages are found by the words of a question. */
class PassageStoreTest {
  private static final Duration LIMIT = Duration.ofSeconds(20);

  @TempDir static Path home;
  private static TestDocuments documents;
  private static PassageStore passages;

  @BeforeAll
  static void start() throws Exception {
    documents = TestDocuments.onSharedServer(home);
    passages = new PassageStore(documents.database(), false, LIMIT);
  }

  @AfterAll
  static void stop() throws Exception {
    documents.close();
  }

  private static void add(String user, List<String> texts) {
    IndexedDocument.add(documents.database(), user, texts, null, List.of());
  }

  private static List<Integer> found(String user, String question) {
    return passages.byWords(user, List.of(), "english", question, 5).stream()
        .map(PassageId::ordinal)
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
}
