package dev.jarvis.document;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.jarvis.Programs;
import dev.jarvis.document.Document.State;
import dev.jarvis.document.FileStore.Content;
import dev.jarvis.document.extract.MediaType;
import dev.jarvis.id.UuidV7;
import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.io.SequenceInputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A process that is killed while it processes a document: the next process completes it. */
class WorkerKilledTest {
  private static final int PAGES = 40;
  private static final Duration LIMIT = Duration.ofMinutes(3);

  /** The lease of the process that is killed; short, because no other claims meanwhile. */
  private static final Duration LEASE = Duration.ofMillis(500);

  /** Shared, because the first start of the servers is slow. */
  @TempDir static Path home;

  /** Uploads a document, processes it, and halts in a stage, as if by {@code kill -9}. */
  static final class Victim {
    private Victim() {}

    public static void main(String[] args) throws Exception {
      Stage stage = Stage.valueOf(args[1]);
      UUID id = UUID.fromString(args[2]);
      TestDocuments documents = new TestDocuments(Path.of(args[0]));
      documents.files().begin(id, "alice", "a.pdf", MediaType.PDF, LEASE, "");
      if (stage == Stage.STORE) {
        documents.objects().put(Document.objectKey(id), halting());
      }
      String[] pages = new String[PAGES];
      for (int i = 0; i < PAGES; i++) {
        pages[i] = "The watchword of page %d in %s is sextant.".formatted(i, stage.id());
      }
      byte[] pdf = Corpus.pdf(pages);
      documents.objects().put(Document.objectKey(id), new ByteArrayInputStream(pdf));
      documents.files().complete("alice", id, "assistants", new Content(pdf.length, id.toString()));
      slow(documents, stage);
      Workers ignored = documents.work(TestDocuments::byLetters, LEASE);
      await()
          .pollInterval(Duration.ofMillis(5))
          .atMost(LIMIT)
          .until(() -> isWorkingOn(stage, documents));
      Runtime.getRuntime().halt(137);
    }

    private static boolean isWorkingOn(Stage stage, TestDocuments documents) {
      return stage == Stage.EXTRACT
          ? ProcessHandle.current().children().anyMatch(Victim::isReader)
          : documents.number(
                  "SELECT count(*) AS n FROM pg_stat_activity WHERE wait_event = 'PgSleep'")
              > 0;
    }

    private static boolean isReader(ProcessHandle process) {
      return process.info().command().orElse("").endsWith("/java");
    }

    private static void slow(TestDocuments documents, Stage stage) {
      String event =
          switch (stage) {
            case CHUNK -> "INSERT";
            case EMBED -> "UPDATE OF embedding";
            case INDEX -> "UPDATE OF words";
            default -> null;
          };
      if (event != null) {
        documents.sql(
            "CREATE FUNCTION test_wait() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN IF NEW.ordinal > 2 THEN PERFORM pg_sleep(0.1); END IF; RETURN NEW; END'");
        documents.sql(
            "CREATE TRIGGER test_wait BEFORE %s ON document_chunks FOR EACH ROW EXECUTE FUNCTION test_wait()"
                .formatted(event));
      }
    }

    /** A stream that halts the process midway. */
    private static InputStream halting() {
      return new SequenceInputStream(
          new ByteArrayInputStream(new byte[100_000]),
          new InputStream() {
            @Override
            public int read() {
              Runtime.getRuntime().halt(137);
              return -1;
            }

            @Override
            public int read(byte[] bytes, int offset, int length) {
              return read();
            }
          });
    }
  }

  private static void kill(Stage stage, UUID id) throws Exception {
    Process victim =
        new ProcessBuilder(
                Programs.java(Victim.class, home.toString(), stage.name(), id.toString()))
            .inheritIO()
            .start();
    assertThat(victim.waitFor(5, TimeUnit.MINUTES)).isTrue();
    assertThat(victim.exitValue()).isEqualTo(137);
  }

  @ParameterizedTest
  @EnumSource(names = {"EXTRACT", "CHUNK", "EMBED", "INDEX"})
  void theNextProcessCompletesTheDocument(Stage stage) throws Exception {
    UUID id = UuidV7.next();
    kill(stage, id);
    try (TestDocuments documents = new TestDocuments(home)) {
      Document left = documents.files().find("alice", id).orElseThrow();
      assertThat(left.stage()).isEqualTo(stage);
      assertThat(left.state()).isEqualTo(State.PENDING);
      documents.sql("DROP FUNCTION IF EXISTS test_wait CASCADE");
      try (Workers ignored = documents.work(TestDocuments::byLetters)) {
        await()
            .atMost(LIMIT)
            .until(() -> documents.files().find("alice", id).orElseThrow().state() == State.DONE);
      }
      assertThat(documents.files().find("alice", id).orElseThrow().progress().attempts())
          .isEqualTo(2);
      assertThat(
              documents.number(
                  "SELECT count(*) AS n FROM document_chunks WHERE words @@ to_tsquery('english', 'watchword') AND embedding IS NOT NULL AND document_id = '%s'"
                      .formatted(id)))
          .isEqualTo(PAGES);
    }
  }

  @Test
  void anIncompleteUploadIsDeleted() throws Exception {
    UUID id = UuidV7.next();
    kill(Stage.STORE, id);
    Path files = home.resolve("objects/documents/files");
    assertThat(countFiles(files, id)).as("the incomplete file").isPositive();
    try (TestDocuments documents = new TestDocuments(home);
        Workers ignored = documents.work(TestDocuments::byLetters)) {
      assertThat(documents.files().find("alice", id)).isEmpty();
      await()
          .atMost(LIMIT)
          .until(
              () ->
                  documents.number(
                          "SELECT count(*) AS n FROM documents WHERE id = '%s'".formatted(id))
                      == 0);
      assertThat(countFiles(files, id)).isZero();
    }
  }

  private static long countFiles(Path folder, UUID id) throws Exception {
    try (Stream<Path> all = Files.list(folder)) {
      return all.filter(it -> it.toString().contains(id.toString())).count();
    }
  }
}
