package dev.jarvis.document;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.jarvis.Programs;
import dev.jarvis.document.Document.State;
import dev.jarvis.document.extract.MediaType;
import dev.jarvis.document.search.PassageStore;
import dev.jarvis.document.search.PassageStore.Place;
import dev.jarvis.id.UuidV7;
import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.io.SequenceInputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A JARVIS that is killed while it works on a document: the next one ends the work. */
class WorkerKilledTest {
  private static final int PAGES = 40;
  private static final Duration LIMIT = Duration.ofMinutes(3);

  /** Of the process that dies; nobody else works meanwhile. */
  private static final Duration LEASE = Duration.ofMillis(500);

  /** Shared: the servers' first start takes longest. */
  @TempDir static Path home;

  /** Uploads a document, works on it, and dies in a stage, as by {@code kill -9}. */
  static final class Victim {
    private Victim() {}

    public static void main(String[] args) throws Exception {
      Stage stage = Stage.valueOf(args[1]);
      UUID id = UUID.fromString(args[2]);
      WorkingService service = new WorkingService(Path.of(args[0]));
      service.documents().begin(id, "alice", "a.pdf", MediaType.PDF, LEASE, "");
      if (stage == Stage.STORE) {
        service.objects().put("files/" + id, dying());
      }
      String[] pages = new String[PAGES];
      for (int i = 0; i < PAGES; i++) {
        pages[i] = "The watchword of page %d in %s is sextant.".formatted(i, stage.id());
      }
      byte[] pdf = Corpus.pdf(pages);
      service.objects().put("files/" + id, new ByteArrayInputStream(pdf));
      service.documents().stored(id, "assistants", pdf.length, id.toString());
      slow(service, stage);
      Workers ignored = service.work(WorkingService::byLetters, LEASE);
      await()
          .pollInterval(Duration.ofMillis(5))
          .atMost(LIMIT)
          .until(() -> isInTheMidstOf(stage, service));
      Runtime.getRuntime().halt(137);
    }

    private static boolean isInTheMidstOf(Stage stage, WorkingService service) {
      return stage == Stage.EXTRACT
          ? ProcessHandle.current().children().anyMatch(Victim::isReader)
          : service.number(
                  "SELECT count(*) AS n FROM pg_stat_activity WHERE wait_event = 'PgSleep'")
              > 0;
    }

    private static boolean isReader(ProcessHandle process) {
      return process.info().command().orElse("").endsWith("/java");
    }

    private static void slow(WorkingService service, Stage stage) {
      String event =
          switch (stage) {
            case CHUNK -> "INSERT";
            case EMBED -> "UPDATE OF embedding";
            case INDEX -> "UPDATE OF words";
            default -> null;
          };
      if (event != null) {
        service.sql(
            "CREATE FUNCTION test_wait() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN IF NEW.ordinal > 2 THEN PERFORM pg_sleep(0.1); END IF; RETURN NEW; END'");
        service.sql(
            "CREATE TRIGGER test_wait BEFORE %s ON document_chunks FOR EACH ROW EXECUTE FUNCTION test_wait()"
                .formatted(event));
      }
    }

    /** An upload that dies midway. */
    private static InputStream dying() {
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
  void theNextOneEndsTheWork(Stage stage) throws Exception {
    UUID id = UuidV7.next();
    kill(stage, id);
    try (WorkingService service = new WorkingService(home)) {
      Document left = service.documents().find("alice", id).orElseThrow();
      assertThat(left.stage()).isEqualTo(stage);
      assertThat(left.state()).isEqualTo(State.PENDING);
      service.sql("DROP FUNCTION IF EXISTS test_wait CASCADE");
      try (Workers ignored = service.work(WorkingService::byLetters)) {
        await()
            .atMost(LIMIT)
            .until(() -> service.documents().find("alice", id).orElseThrow().state() == State.DONE);
      }
      assertThat(service.documents().find("alice", id).orElseThrow().attempts()).isEqualTo(2);
      assertThat(
              service.number(
                  "SELECT count(*) AS n FROM document_chunks WHERE words IS NOT NULL AND embedding IS NOT NULL AND document_id = '%s'"
                      .formatted(id)))
          .isEqualTo(PAGES);
      PassageStore passages = new PassageStore(service.database(), false, Duration.ofSeconds(5));
      assertThat(passages.byWords("alice", List.of(id), "english", "watchword", 100))
          .extracting(Place::ordinal)
          .doesNotHaveDuplicates()
          .hasSize(PAGES);
    }
  }

  @Test
  void anUploadThatDiedIsThrownAway() throws Exception {
    UUID id = UuidV7.next();
    kill(Stage.STORE, id);
    Path files = home.resolve("objects/documents/files");
    assertThat(named(files, id)).as("half of it is there").isPositive();
    try (WorkingService service = new WorkingService(home);
        Workers ignored = service.work(WorkingService::byLetters)) {
      assertThat(service.documents().find("alice", id)).isEmpty();
      await()
          .atMost(LIMIT)
          .until(
              () ->
                  service.number(
                          "SELECT count(*) AS n FROM documents WHERE id = '%s'".formatted(id))
                      == 0);
      assertThat(named(files, id)).isZero();
    }
  }

  private static long named(Path folder, UUID id) throws Exception {
    try (Stream<Path> all = Files.list(folder)) {
      return all.filter(it -> it.toString().contains(id.toString())).count();
    }
  }
}
