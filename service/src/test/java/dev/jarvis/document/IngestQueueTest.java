package dev.jarvis.document;

import static org.assertj.core.api.Assertions.assertThat;

import dev.jarvis.document.Document.Chunks;
import dev.jarvis.document.Document.Failure;
import dev.jarvis.document.FileStore.Content;
import dev.jarvis.document.IngestQueue.Stats;
import dev.jarvis.document.extract.MediaType;
import dev.jarvis.id.UuidV7;
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
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Which document a worker claims, and what a lost lease prevents. */
class IngestQueueTest {
  private static final Duration LONG = Duration.ofMinutes(5);

  @AutoClose private static final TestDocuments documents = TestDocuments.onSharedServer();
  private static final FileStore files = documents.files();
  private static final IngestQueue queue = documents.queue();

  @BeforeEach
  void deleteAll() {
    documents.sql("DELETE FROM documents");
  }

  private static UUID upload(String user, String sha256) {
    UUID id = UuidV7.next();
    files.begin(id, user, "a.txt", MediaType.TEXT, LONG, "");
    files.complete(user, id, "assistants", new Content(3, sha256));
    return id;
  }

  private static LeasedDocument claim() {
    return queue.claim(LONG).orElseThrow();
  }

  @Test
  void aUserWithManyDocumentsDoesNotKeepOthersWaiting() {
    for (String user : List.of("alice", "alice", "alice", "bob")) {
      upload(user, UUID.randomUUID().toString());
    }
    List<String> order = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      order.add(claim().document().userId());
    }
    assertThat(order).containsExactly("alice", "bob", "alice", "alice");
  }

  @Test
  void anExpiredLeaseDoesNotKeepItsUserWaiting() {
    UUID first = upload("alice", "1");
    assertThat(queue.claim(Duration.ZERO).orElseThrow().document().id()).isEqualTo(first);
    UUID second = upload("alice", "2");
    upload("bob", "3");
    assertThat(claim().document().id()).isEqualTo(first);
    assertThat(claim().document().userId()).isEqualTo("bob");
    assertThat(claim().document().id()).isEqualTo(second);
  }

  @Test
  void noDocumentIsClaimedTwice() throws Exception {
    try (ExecutorService workers = Executors.newFixedThreadPool(2)) {
      for (int i = 0; i < 40; i++) {
        upload("user" + i % 3, "content " + i);
      }
      Callable<List<UUID>> worker =
          () ->
              Stream.generate(() -> queue.claim(LONG))
                  .limit(20)
                  .map(Optional::orElseThrow)
                  .map(it -> it.document().id())
                  .toList();
      List<UUID> claimed = new ArrayList<>();
      for (Future<List<UUID>> each : workers.invokeAll(List.of(worker, worker))) {
        claimed.addAll(each.get());
      }
      assertThat(claimed).hasSize(40).doesNotHaveDuplicates();
    }
  }

  @Test
  void onlyFailuresThatAreNotTheFilesFaultAreDeadLetters() {
    upload("alice", "1");
    queue.fail(claim(), new Failure("encrypted", "No."), true);
    assertThat(queue.stats(1)).isEqualTo(new Stats(0, 0, 0, 0));
    UUID dead = upload("alice", "2");
    queue.fail(claim(), new Failure("internal_error", "No."), false);
    assertThat(queue.stats(1).deadLetters()).isEqualTo(1);
    assertThat(files.retry("alice", dead)).isTrue();
    assertThat(queue.stats(1))
        .extracting(it -> it.depth(), it -> it.deadLetters())
        .containsExactly(1L, 0L);
  }

  @Test
  void aReleasedAttemptDoesNotCount() {
    upload("alice", "abc");
    assertThat(queue.release(claim())).isTrue();
    assertThat(claim().document().progress().attempts()).isEqualTo(1);
  }

  @Test
  void aDocumentBelongsToItsWorkerUntilTheLeaseEnds() {
    UUID id = UuidV7.next();
    files.begin(id, "alice", "a.txt", MediaType.TEXT, LONG, "");
    assertThat(queue.claim(LONG)).as("an upload in progress cannot be claimed").isEmpty();
    assertThat(files.complete("alice", id, "assistants", new Content(3, "abc"))).isPresent();

    LeasedDocument lost = claim();
    assertThat(queue.claim(LONG)).isEmpty();
    assertThat(queue.renew(lost, Duration.ZERO)).isTrue(); // the lease ends now
    LeasedDocument next = claim();
    assertThat(next.document().progress().attempts()).isEqualTo(2);
    assertThat(queue.done(lost, 1)).as("another worker has the lease").isEmpty();
    assertThat(queue.renew(lost, LONG)).isFalse();
    assertThat(queue.renew(next, LONG)).isTrue();

    Failure failure = new Failure("object_store_unavailable", "Away.");
    assertThat(queue.postpone(next, failure, LONG)).isTrue();
    assertThat(queue.claim(LONG)).as("it is not due yet").isEmpty();
    assertThat(queue.stats(1).depth()).isEqualTo(1);
    assertThat(files.find("alice", id).orElseThrow().progress().error()).isEqualTo(failure);
    assertThat(files.find("bob", id)).isEmpty();

    assertThat(files.delete("alice", id)).isTrue();
    assertThat(files.find("alice", id)).isEmpty();
    assertThat(queue.remove(claim())).isTrue();
    assertThat(queue.claim(LONG)).isEmpty();
  }

  @Test
  void wordsThatCannotBeMadeAgainAreLeftAfterSomeAttempts() {
    UUID id = upload("alice", "1");
    assertThat(queue.done(claim(), 0)).isPresent();
    documents.sql("UPDATE documents SET due_at = now()");
    for (int i = 0; i < 2; i++) {
      LeasedDocument stopped = queue.claimOutdated(1, 2, LONG).orElseThrow();
      assertThat(queue.releaseReindex(stopped)).isTrue();
    }
    for (int i = 0; i < 2; i++) {
      assertThat(queue.claimOutdated(1, 2, Duration.ZERO)).as("its process dies").isPresent();
    }
    assertThat(queue.claimOutdated(1, 2, LONG)).isEmpty();
    assertThat(queue.stats(1).outdated()).isEqualTo(1);

    files.retry("alice", id);
    assertThat(queue.done(claim(), 0)).isPresent();
    documents.sql("UPDATE documents SET due_at = now()");
    LeasedDocument again = queue.claimOutdated(1, 2, LONG).orElseThrow();
    assertThat(queue.reindexed(again, 1)).isTrue();
    assertThat(queue.stats(1).outdated()).isZero();
  }

  @Test
  void aFileOfATypeThatOnlyANewerReleaseReadsWaitsForItsWorkers() {
    UUID newer = upload("alice", "1");
    documents.sql("UPDATE documents SET media_type = 'application/x-newer'");
    UUID known = upload("alice", "2");

    assertThat(claim().document().id()).isEqualTo(known);
    assertThat(queue.claim(LONG)).isEmpty();
    assertThat(files.find("alice", newer))
        .hasValueSatisfying(
            it -> {
              assertThat(it.file().mediaType()).isEqualTo("application/x-newer");
              assertThat(it.progress().attempts()).isZero();
            });
    assertThat(files.list("alice", null, null, true, 10)).hasSize(2);
    assertThat(queue.stats(1).depth()).isEqualTo(2);

    documents.sql("UPDATE documents SET state = 'done', index_version = 0 WHERE lease IS NULL");
    LeasedDocument outdated = queue.claimOutdated(1, 2, LONG).orElseThrow();
    assertThat(outdated.document().id()).as("words do not depend on the type").isEqualTo(newer);

    files.delete("alice", newer);
    assertThat(claim().document().stage()).isEqualTo(Stage.DELETE);
  }

  private static void assertTries(LeasedDocument leased, int attempts, int deferrals) {
    assertThat(queue.tries(leased))
        .hasValueSatisfying(
            it ->
                assertThat(List.of(it.attempts(), it.deferrals()))
                    .as("attempts and deferrals without progress")
                    .containsExactly(attempts, deferrals));
  }

  private static LeasedDocument claimAgain(LeasedDocument leased) {
    assertThat(queue.postpone(leased, new Failure("x", "X."), Duration.ZERO)).isTrue();
    return claim();
  }

  @Test
  void gettingFurtherThanEverBeforeBeginsTheCountsAnew() {
    upload("alice", "1");
    LeasedDocument leased = claimAgain(claim());
    assertThat(queue.enter(leased, Stage.EXTRACT)).isTrue();
    assertTries(leased, 1, 0);
    leased = claimAgain(claimAgain(leased));
    assertTries(leased, 3, 0);

    queue.enter(leased, Stage.EXTRACT);
    assertTries(leased, 3, 0);
    queue.enter(leased, Stage.CHUNK);
    assertTries(leased, 1, 0);
    queue.progress(leased, Stage.CHUNK, new Chunks(900, 200));
    leased = claimAgain(leased);
    queue.enter(leased, Stage.EXTRACT);
    queue.enter(leased, Stage.CHUNK);
    queue.progress(leased, Stage.CHUNK, new Chunks(900, 200));
    assertTries(leased, 2, 0);
    queue.progress(leased, Stage.CHUNK, new Chunks(900, 400));
    assertTries(leased, 1, 0);
    queue.enter(leased, Stage.EMBED);
    leased = claimAgain(leased);
    queue.progress(leased, Stage.EMBED, new Chunks(900, 16));
    assertTries(leased, 1, 0);
    assertThat(leased.document().progress().attempts()).as("attempts of all").isEqualTo(6);
  }

  @Test
  void aDeferralIsNoAttemptAndIsCountedUntilTheDocumentGetsFurther() {
    upload("alice", "1");
    LeasedDocument leased = claim();
    queue.enter(leased, Stage.EMBED);
    for (int i = 1; i <= 3; i++) {
      assertThat(queue.defer(leased, new Failure("overloaded", "Busy."), Duration.ZERO)).isTrue();
      leased = claim();
      assertTries(leased, 1, i);
      assertThat(leased.document().progress())
          .extracting(it -> it.attempts(), it -> it.attemptsSinceProgress())
          .containsExactly(1, 1);
    }
    queue.progress(leased, Stage.EMBED, new Chunks(9, 5));
    assertTries(leased, 1, 0);
  }

  @Test
  void aRetryByTheUserBeginsEverythingAnew() {
    UUID id = upload("alice", "1");
    LeasedDocument leased = claimAgain(claim());
    queue.enter(leased, Stage.INDEX);
    queue.changeModel(leased, "other");
    queue.defer(leased, new Failure("overloaded", "Busy."), Duration.ZERO);
    queue.fail(claim(), new Failure("x", "X."), false);

    assertThat(files.retry("alice", id)).isTrue();
    LeasedDocument again = claim();
    assertThat(queue.tries(again)).hasValue(new IngestQueue.Tries(1, 0, 0));
    LeasedDocument second = claimAgain(again);
    queue.enter(second, Stage.EXTRACT);
    assertTries(second, 1, 0);
  }
}
