package dev.jarvis.document;

import static org.assertj.core.api.Assertions.assertThat;

import dev.jarvis.document.Document.Failure;
import dev.jarvis.document.DocumentStore.Leased;
import dev.jarvis.document.extract.MediaType;
import dev.jarvis.id.UuidV7;
import dev.jarvis.storage.embedded.TestDatabase;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The queue: whose a document is, and what becomes of it when its worker is lost. */
class DocumentStoreTest {
  private static final Duration LONG = Duration.ofMinutes(5);

  @TempDir static Path home;
  private static TestDatabase database;
  private static WorkingService service;
  private static DocumentStore store;

  @BeforeAll
  static void start() throws Exception {
    database = TestDatabase.create();
    service = new WorkingService(database, home);
    store = service.documents();
  }

  @AfterAll
  static void stop() throws Exception {
    service.close();
    database.close();
  }

  @BeforeEach
  void forget() {
    service.sql("DELETE FROM documents");
  }

  @Test
  void whoUploadsManyDoesNotKeepOthersWaiting() {
    for (String user : List.of("alice", "alice", "alice", "bob")) {
      begun(user, UUID.randomUUID().toString());
    }
    List<String> order = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      order.add(store.claim(LONG).orElseThrow().document().userId());
    }
    assertThat(order).containsExactly("alice", "bob", "alice", "alice");
  }

  @Test
  void whoseWorkerDiedIsNotKeptWaiting() {
    UUID first = begun("alice", "1");
    assertThat(store.claim(Duration.ZERO).orElseThrow().document().id()).isEqualTo(first);
    UUID second = begun("alice", "2");
    begun("bob", "3");
    assertThat(store.claim(LONG).orElseThrow().document().id()).isEqualTo(first);
    assertThat(store.claim(LONG).orElseThrow().document().userId()).isEqualTo("bob");
    assertThat(store.claim(LONG).orElseThrow().document().id()).isEqualTo(second);
  }

  @Test
  void noDocumentIsTakenTwice() throws Exception {
    try (ExecutorService workers = Executors.newFixedThreadPool(2)) {
      for (int i = 0; i < 40; i++) {
        begun("user" + i % 3, "content " + i);
      }
      Callable<List<UUID>> worker =
          () ->
              Stream.generate(() -> store.claim(LONG))
                  .limit(20)
                  .map(Optional::orElseThrow)
                  .map(it -> it.document().id())
                  .toList();
      List<UUID> taken = new ArrayList<>();
      for (Future<List<UUID>> each : workers.invokeAll(List.of(worker, worker))) {
        taken.addAll(each.get());
      }
      assertThat(taken).hasSize(40).doesNotHaveDuplicates();
    }
  }

  @Test
  void theSameContentIsKeptOnceAlsoWhereItComesTwiceAtOnce() {
    UUID first = UuidV7.next();
    UUID second = UuidV7.next();
    store.begin(first, "alice", "a.txt", MediaType.TEXT, LONG, "");
    store.begin(second, "alice", "b.txt", MediaType.TEXT, LONG, "");
    assertThat(store.stored(first, "assistants", 3, "abc")).isTrue();
    assertThat(store.stored(second, "assistants", 3, "abc")).isFalse();
    assertThat(store.findContent("alice", "abc").orElseThrow().id()).isEqualTo(first);
    UUID others = UuidV7.next();
    store.begin(others, "bob", "a.txt", MediaType.TEXT, LONG, "");
    assertThat(store.stored(others, "assistants", 3, "abc")).isTrue();
  }

  @Test
  void anUploadThatIsBeingThrownAwayDoesNotEndWell() {
    UUID late = UuidV7.next();
    store.begin(late, "alice", "a.txt", MediaType.TEXT, Duration.ZERO, "");
    assertThat(store.claim(LONG).orElseThrow().document().stage()).isEqualTo(Stage.STORE);
    assertThat(store.stored(late, "assistants", 3, "abc")).isFalse();
  }

  @Test
  void onlyWhatIsNotTheFilesFaultIsADeadLetter() {
    begun("alice", "1");
    store.failed(store.claim(LONG).orElseThrow(), new Failure("encrypted", "No."), true);
    assertThat(store.queue()).isEqualTo(new DocumentStore.Queue(0, 0, 0));
    UUID ours = begun("alice", "2");
    store.failed(store.claim(LONG).orElseThrow(), new Failure("internal_error", "No."), false);
    assertThat(store.queue().deadLetters()).isEqualTo(1);
    assertThat(store.retry("alice", ours)).isTrue();
    assertThat(store.queue())
        .extracting(it -> it.depth(), it -> it.deadLetters())
        .containsExactly(1L, 0L);
  }

  private static UUID begun(String user, String content) {
    UUID id = UuidV7.next();
    store.begin(id, user, "a.txt", MediaType.TEXT, LONG, "");
    store.stored(id, "assistants", 3, content);
    return id;
  }

  @Test
  void aStoppedAttemptDoesNotCount() {
    begun("alice", "abc");
    assertThat(store.release(store.claim(LONG).orElseThrow())).isTrue();
    assertThat(store.claim(LONG).orElseThrow().document().attempts()).isEqualTo(1);
  }

  @Test
  void aDocumentIsItsWorkersUntilTheLeaseEnds() {
    UUID id = UuidV7.next();
    store.begin(id, "alice", "a.txt", MediaType.TEXT, LONG, "");
    assertThat(store.claim(LONG)).as("an upload that goes on is nobody's").isEmpty();
    assertThat(store.stored(id, "assistants", 3, "abc")).isTrue();

    Leased lost = store.claim(LONG).orElseThrow();
    assertThat(store.claim(LONG)).isEmpty();
    assertThat(store.renew(lost, Duration.ZERO)).isTrue(); // it ends now
    Leased next = store.claim(LONG).orElseThrow();
    assertThat(next.document().attempts()).isEqualTo(2);
    assertThat(store.done(lost)).as("the lease is another's").isEmpty();
    assertThat(store.renew(lost, LONG)).isFalse();
    assertThat(store.renew(next, LONG)).isTrue();

    Failure why = new Failure("object_store_unavailable", "Away.");
    assertThat(store.again(next, why, LONG)).isTrue();
    assertThat(store.claim(LONG)).as("it waits for its time").isEmpty();
    assertThat(store.queue().depth()).isEqualTo(1);
    assertThat(store.find("alice", id).orElseThrow().error()).isEqualTo(why);
    assertThat(store.find("bob", id)).isEmpty();

    assertThat(store.delete("alice", id)).isTrue();
    assertThat(store.find("alice", id)).isEmpty();
    Leased deleted = store.claim(LONG).orElseThrow();
    store.forget(deleted);
    assertThat(store.claim(LONG)).isEmpty();
  }
}
