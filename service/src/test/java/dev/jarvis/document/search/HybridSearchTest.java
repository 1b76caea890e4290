package dev.jarvis.document.search;

import static org.assertj.core.api.Assertions.assertThat;

import dev.jarvis.config.Configs;
import dev.jarvis.document.DocumentConfig;
import dev.jarvis.document.Embedder;
import dev.jarvis.document.IndexedDocument;
import dev.jarvis.document.TestDocuments;
import dev.jarvis.error.ApiException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Searches of documents whose vectors are of several models. */
class HybridSearchTest {
  private static final float[] NEAR = {1, 0};
  private static final float[] FAR = {0, 1};

  @AutoClose private static final TestDocuments documents = TestDocuments.onSharedServer();

  private final List<String> asked = new ArrayList<>();

  private static void add(String user, String model, float[] vector, String text) {
    IndexedDocument.add(documents.database(), user, List.of(text), model, List.of(vector));
  }

  /**
   * @param available the models that answer
   */
  private HybridSearch.Found search(String user, Set<String> available) {
    return search(user, available, "pachyderms");
  }

  private HybridSearch.Found search(String user, Set<String> available, String question) {
    Embedder embedder =
        (texts, owner, request, model, limit) -> {
          asked.add(String.valueOf(model));
          if (model == null || !available.contains(model)) {
            throw new ApiException.NotFound("No model.", "model", "model_not_found");
          }
          return new Embedder.Vectors(model, List.of(NEAR));
        };
    HybridSearch search =
        new HybridSearch(
            Configs.of(DocumentConfig.class, Map.of()),
            documents.files(),
            new WordSearch(documents.database(), null),
            new PassageStore(documents.database(), false, Duration.ofSeconds(30)),
            embedder,
            new SearchTelemetry(documents.telemetry()));
    return search.search(SearchedFiles.of(user), Embedder.Payer.owner(user), "r", question, 5);
  }

  private static List<String> texts(HybridSearch.Found found) {
    return found.passages().stream().map(it -> it.chunk().text()).toList();
  }

  @Test
  void filesOfEveryModelAreRankedByMeaning() {
    add("ann", "first", FAR, "A boat.");
    add("ann", "first", NEAR, "An elephant.");
    add("ann", "second", NEAR, "A mammoth.");

    HybridSearch.Found found = search("ann", Set.of("first", "second"));

    assertThat(asked).containsExactly("first", "second");
    assertThat(found.hybrid()).isTrue();
    assertThat(texts(found)).hasSize(3).endsWith("A boat.").contains("A mammoth.");
  }

  @Test
  void aModelThatIsGoneLeavesTheOthersAndTheWords() {
    add("bob", "first", NEAR, "An elephant.");
    add("bob", "gone", NEAR, "All pachyderms.");

    HybridSearch.Found found = search("bob", Set.of("first"));

    assertThat(found.hybrid()).isTrue();
    assertThat(texts(found)).containsExactlyInAnyOrder("An elephant.", "All pachyderms.");
  }

  @ParameterizedTest
  @CsvSource({
    "AX-1407, true",
    "What does AX-1407 cost?, true",
    "Which animals swim across the lake on a night in May?, false",
  })
  void theWordsOfAPassageCountAsMuchAsTheyAreOfTheQuestion(String question, boolean first) {
    for (int i = 0; i < 20; i++) {
      add(question, "first", NEAR, "An elephant, number " + i);
    }
    add(question, "first", FAR, "The night lamp AX-1407.");

    List<String> texts = texts(search(question, Set.of("first"), question));

    assertThat(texts.getFirst().equals("The night lamp AX-1407.")).isEqualTo(first);
  }

  @Test
  void withoutVectorsThatCanBeComparedTheSearchIsByWordsOnly() {
    add("eve", "gone", NEAR, "All pachyderms.");

    HybridSearch.Found found = search("eve", Set.of("first"));

    assertThat(found.hybrid()).isFalse();
    assertThat(found.passages())
        .singleElement()
        .satisfies(it -> assertThat(it.score()).isEqualTo(1));
    assertThat(search("nobody", Set.of("first")).hybrid()).isFalse();
    assertThat(asked).as("without a file's vector, no model is asked").containsExactly("gone");
  }
}
