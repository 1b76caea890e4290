package dev.jarvis.document.search;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import dev.jarvis.TestService;
import dev.jarvis.json.Json;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Predicate;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * How many questions find the passage that answers them, by words alone and with the embedding
 * model inside the process. Each passage is uploaded as a file. This test prints the table in
 * docs/documents.md; what it requires is a little less.
 */
@Timeout(300)
class RecallTest {
  private static TestService service;
  private static TestService wordsOnly;
  private static final List<Question> ENGLISH = new ArrayList<>();
  private static final List<Question> OTHERS = new ArrayList<>();

  /**
   * A question.
   *
   * @param answer the file of the passage that answers it
   * @param paraphrase whether it has hardly a word of the passage
   */
  private record Question(String text, String answer, boolean paraphrase) {}

  /** Shares of the questions, in percent, and the mean reciprocal rank up to the tenth. */
  private record Recall(double at1, double at5, double at10, double reciprocalRank) {

    /**
     * @param ranks from 1; 0 if the passage was not found
     */
    static Recall of(List<Integer> ranks) {
      return new Recall(
          share(ranks, 1),
          share(ranks, 5),
          share(ranks, 10),
          ranks.stream().mapToDouble(it -> it == 0 ? 0 : 1.0 / it).average().orElseThrow());
    }

    private static double share(List<Integer> ranks, int limit) {
      return 100.0 * ranks.stream().filter(it -> it > 0 && it <= limit).count() / ranks.size();
    }

    @Override
    public String toString() {
      return String.format(
          Locale.ROOT, "%.1f %% | %.1f %% | %.1f %% | %.2f", at1, at5, at10, reciprocalRank);
    }
  }

  @BeforeAll
  static void upload() throws Exception {
    service =
        TestService.start(
            Map.of(
                "JARVIS_DOCUMENTS_EMBEDDING_MODEL", "all-minilm-l6-v2",
                "JARVIS_LIMITS_SEARCH_REQUESTS_PER_MINUTE", "0"));
    wordsOnly = service.replica(Map.of("JARVIS_DOCUMENTS_WORKERS", "0"));
    upload("english.txt", ENGLISH);
    upload("french-german.txt", OTHERS);
    await()
        .atMost(Duration.ofMinutes(4))
        .until(() -> search(service, "harbour").path("pending_files").asInt() == 0);
  }

  @AfterAll
  static void stop() {
    wordsOnly.close();
    service.close();
  }

  private static void upload(String file, List<Question> questions) throws IOException {
    String document = "";
    int passages = 0;
    for (String line : Files.readAllLines(Path.of("src/test/resources/recall", file))) {
      String name = "%s %d.txt".formatted(document, passages);
      if (line.startsWith("== ")) {
        document = line.substring(3);
        passages = 0;
      } else if (line.startsWith("? ") || line.startsWith("~ ")) {
        questions.add(new Question(line.substring(2), name, line.startsWith("~")));
      } else if (!line.isEmpty() && !line.startsWith("#")) {
        passages++;
        name = "%s %d.txt".formatted(document, passages);
        assertThat(service.upload(name, line.getBytes(UTF_8), "assistants").statusCode())
            .isEqualTo(200);
      }
    }
  }

  private static JsonNode search(TestService replica, String question) {
    String body = new String(Json.bytes(Json.object().put("query", question)), UTF_8);
    return TestService.json(replica.post("/v1/search", body).body());
  }

  private static Recall recall(
      TestService replica, String mode, List<Question> questions, Predicate<Question> which) {
    List<Integer> ranks = new ArrayList<>();
    for (Question question : questions.stream().filter(which).toList()) {
      JsonNode result = search(replica, question.text());
      assertThat(result.path("mode").asText()).isEqualTo(mode);
      ranks.add(result.path("data").findValuesAsText("filename").indexOf(question.answer()) + 1);
    }
    Recall recall = Recall.of(ranks);
    System.out.printf("| %d questions | %s | %s |%n", ranks.size(), mode, recall);
    return recall;
  }

  private static Recall byWords(List<Question> questions, Predicate<Question> which) {
    return recall(wordsOnly, "full_text", questions, which);
  }

  private static Recall hybrid(List<Question> questions, Predicate<Question> which) {
    return recall(service, "hybrid", questions, which);
  }

  @Test
  void thePassageIsFoundByMeaningWhereItsWordsAreOthers() {
    Recall words = byWords(ENGLISH, Question::paraphrase);
    Recall hybrid = hybrid(ENGLISH, Question::paraphrase);

    assertThat(words.at10()).isLessThan(25);
    assertThat(hybrid.at1()).isGreaterThan(45);
    assertThat(hybrid.at5()).isGreaterThan(75);
    assertThat(hybrid.at10()).isGreaterThan(85);
  }

  @Test
  void thePassageIsFoundByItsWordsAsBefore() {
    Recall words = byWords(ENGLISH, it -> !it.paraphrase());
    Recall hybrid = hybrid(ENGLISH, it -> !it.paraphrase());

    assertThat(words.at1()).isGreaterThan(95);
    assertThat(hybrid.at1()).isGreaterThan(95);
  }

  @Test
  void moreIsFoundWithTheModel() {
    Recall words = byWords(ENGLISH, it -> true);
    Recall hybrid = hybrid(ENGLISH, it -> true);

    assertThat(ENGLISH).hasSize(200);
    assertThat(hybrid.at1()).isGreaterThan(words.at1());
    assertThat(hybrid.at5()).isGreaterThan(words.at5() + 20);
    assertThat(hybrid.at10()).isGreaterThan(words.at10() + 35);
    assertThat(hybrid.reciprocalRank()).isGreaterThan(words.reciprocalRank());
  }

  /** The model is for English: it finds names, and words that the languages share. */
  @Test
  void theModelIsOfLittleHelpInOtherLanguages() {
    Recall words = byWords(OTHERS, it -> true);
    Recall hybrid = hybrid(OTHERS, it -> true);

    assertThat(hybrid.at10()).isGreaterThanOrEqualTo(words.at10());
    assertThat(hybrid.at1()).isLessThan(50);
  }
}
