package dev.jarvis.document;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.jarvis.document.Document.Failure;
import dev.jarvis.document.Document.Progress;
import dev.jarvis.document.Document.State;
import dev.jarvis.error.ApiException;
import dev.jarvis.storage.Recorded;
import dev.jarvis.telemetry.Metric;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Which failures a document survives, when it is given up, and which model computes its vectors.
 */
@Timeout(120)
class PersistenceTest {
  private static final Duration LIMIT = Duration.ofSeconds(60);
  private static final Map<String, String> HASTY =
      Map.of("max-attempts", "2", "max-deferrals", "4", "first-retry", "1ms");

  /** Of a passage of {@link #TEXT}. */
  private static final int BATCH = 16;

  /** Long enough for six batches of the embedding model. */
  private static final String TEXT = "A sentence of some words about gulls. ".repeat(900);

  @AutoClose private static final TestDocuments documents = TestDocuments.onSharedServer();

  /** The models that were asked for, "any" without one. */
  private final List<String> asked = new CopyOnWriteArrayList<>();

  /** What the embedding models do, asked for the given one or for any. */
  private interface Script {
    String model(@Nullable String only);
  }

  private Document processed(Script script) throws Exception {
    Embedder embedder =
        (texts, user, request, only, limit) -> {
          asked.add(only == null ? "any" : only);
          String model = script.model(only);
          float first = model.charAt(0);
          return new Embedder.Vectors(
              model, texts.stream().map(it -> new float[] {first, 100}).toList());
        };
    UUID id = documents.upload(TEXT);
    try (Workers ignored = documents.work(embedder, HASTY)) {
      await().atMost(LIMIT).until(() -> document(id).state() != State.PENDING);
    }
    return document(id);
  }

  private static Document document(UUID id) {
    return documents.files().find("alice", id).orElseThrow();
  }

  private static void assertDone(Document document, String model) {
    assertThat(document.state()).as("%s", document.progress()).isEqualTo(State.DONE);
    assertThat(vectors(document, "true")).isGreaterThan(5 * BATCH);
    assertThat(vectors(document, "embedding[1] IS NULL OR embedding[2] IS NULL")).isZero();
    // vectors have the length 1, so the quotient of their numbers tells the model
    assertThat(
            vectors(
                document,
                "abs(embedding[1] / embedding[2] - %d / 100.0) > 0.001"
                    .formatted((int) model.charAt(0))))
        .as("vectors of other models than " + model)
        .isZero();
    assertThat(
            documents.number(
                "SELECT count(*) AS n FROM documents WHERE embedding_model = '%s' AND id = '%s'"
                    .formatted(model, document.id())))
        .isEqualTo(1);
  }

  private static long vectors(Document document, String condition) {
    return documents.number(
        "SELECT count(*) AS n FROM document_chunks WHERE document_id = '%s' AND (%s)"
            .formatted(document.id(), condition));
  }

  private static void assertGivenUp(Document document, String code, String message) {
    assertThat(document.state()).isEqualTo(State.FAILED);
    assertThat(document.progress().error()).isEqualTo(new Failure(code, message));
    assertThat(
            documents.number(
                "SELECT count(*) AS n FROM documents WHERE NOT rejected AND id = '%s'"
                    .formatted(document.id())))
        .as("dead letters")
        .isEqualTo(1);
  }

  private static ApiException down() {
    return new ApiException.UpstreamFailed("The model server failed.", new Exception());
  }

  private static ApiException absent(String model) {
    return new ApiException.NotFound("No '%s'.".formatted(model), "model", "model_not_found");
  }

  @Test
  void aLongDocumentSurvivesMoreFailuresThanAttemptsIfEachAttemptGetsFurther() throws Exception {
    AtomicInteger calls = new AtomicInteger();
    Document document =
        processed(
            only -> {
              if (calls.incrementAndGet() % 2 == 0) {
                throw down();
              }
              return "gulls";
            });

    assertDone(document, "gulls");
    assertThat(document.progress())
        .extracting(Progress::attempts, Progress::attemptsSinceProgress, Progress::error)
        .containsExactly(calls.get() / 2 + 1, 1, null);
    assertThat(document.progress().attempts()).isGreaterThan(5);
  }

  @Test
  void aDocumentThatGetsNoFurtherIsGivenUp() throws Exception {
    List<String> batches = new ArrayList<>();
    Document document =
        processed(
            only -> {
              if (batches.size() == 3) {
                throw down();
              }
              batches.add("one");
              return "gulls";
            });

    assertGivenUp(document, "embeddings_unavailable", "The model server failed.");
    assertThat(document.progress().attempts()).isEqualTo(2);
    assertThat(vectors(document, "embedding IS NOT NULL")).isEqualTo(3 * BATCH);
  }

  @Test
  void aLimitOfJarvisIsNoAttempt() throws Exception {
    long before = Recorded.value(Metric.DOCUMENTS_DEFERRALS, "embed").orElse(0L);
    AtomicInteger calls = new AtomicInteger();
    List<ApiException> limits =
        List.of(
            new ApiException.Overloaded("The server is busy."),
            new ApiException.Overloaded("Too many."),
            new ApiException.Overloaded("The server is busy."),
            new ApiException.Overloaded("The server is busy."));
    Document document =
        processed(
            only -> {
              int call = calls.getAndIncrement();
              if (call < limits.size()) {
                throw limits.get(call);
              }
              return "gulls";
            });

    assertDone(document, "gulls");
    assertThat(document.progress().attempts()).isEqualTo(1);
    assertThat(Recorded.value(Metric.DOCUMENTS_DEFERRALS, "embed"))
        .hasValue(before + limits.size());
  }

  @Test
  void aLimitThatNeverEndsIsShownAndEndsTheProcessing() throws Exception {
    Document document =
        processed(
            only -> {
              throw new ApiException.Overloaded("Too many requests wait.");
            });

    assertGivenUp(document, "overloaded", "Too many requests wait.");
    assertThat(asked).hasSize(5);
  }

  @Test
  void aPassageThatIsTooLongIsGivenUpAtOnce() throws Exception {
    Document document =
        processed(
            only -> {
              throw tooLong();
            });

    assertGivenUp(
        document,
        "passage_too_long",
        "A passage is longer than the embedding model reads; 'documents.chunk-tokens' must be smaller.");
    assertThat(asked).hasSize(1);
  }

  @Test
  void aDocumentThatWasDividedForAnotherModelIsDividedAgain() throws Exception {
    AtomicInteger calls = new AtomicInteger();
    Document document =
        processed(
            only ->
                switch (calls.getAndIncrement()) {
                  case 0 -> throw new ApiException.UpstreamFailed("Away.", null);
                  case 1 -> throw tooLong();
                  default -> "gulls";
                });

    assertDone(document, "gulls");
  }

  private static ApiException tooLong() {
    return new ApiException.Refused(400, "Too long.", "input", "context_length_exceeded", null);
  }

  @Test
  void aRouteOfDifferentModelsYieldsVectorsOfOne() throws Exception {
    AtomicInteger calls = new AtomicInteger();
    Document document =
        processed(
            only -> only != null ? only : calls.getAndIncrement() % 2 == 0 ? "gulls" : "terns");

    assertDone(document, "gulls");
    assertThat(asked.subList(0, 3)).containsExactly("any", "gulls", "gulls");
    assertThat(document.progress().attempts()).isEqualTo(1);
  }

  @Test
  void aModelThatIsGoneIsReplaced() throws Exception {
    Document document =
        processed(
            only -> {
              if (only != null && only.equals("gulls") && asked.size() > 2) {
                throw absent(only);
              }
              return asked.size() > 2 ? "terns" : "gulls";
            });

    assertDone(document, "terns");
    assertThat(document.progress().attempts()).isEqualTo(1);
  }

  @Test
  void aModelThatFailsEveryTimeIsReplacedByTheLastAttempt() throws Exception {
    Document document =
        processed(
            only -> {
              if (only != null && only.equals("gulls") && asked.size() > 2) {
                throw down();
              }
              return asked.size() > 2 ? "terns" : "gulls";
            });

    assertDone(document, "terns");
    assertThat(document.progress().attempts()).isEqualTo(2);
  }

  @Test
  void aModelIsReplacedAtMostThreeTimes() throws Exception {
    AtomicInteger models = new AtomicInteger();
    Document document =
        processed(
            only -> {
              if (only != null) {
                throw absent(only);
              }
              return "model" + models.incrementAndGet();
            });

    assertThat(models).hasValue(4);
    assertGivenUp(document, "embeddings_unavailable", "No 'model4'.");
  }
}
