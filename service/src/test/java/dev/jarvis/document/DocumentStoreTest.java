package dev.jarvis.document;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.jarvis.document.Document.Failure;
import dev.jarvis.document.DocumentStore.Leased;
import dev.jarvis.http.RequestIds;
import dev.jarvis.storage.Database;
import dev.jarvis.storage.DatabaseConfig;
import dev.jarvis.storage.Recorded;
import dev.jarvis.telemetry.Telemetry;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The queue: whose a document is, and what becomes of it when its worker is lost. */
class DocumentStoreTest {
  private static final DatabaseConfig DATABASE =
      new DatabaseConfig(null, null, null, 2, Duration.ofSeconds(20), Duration.ofSeconds(5));
  private static final Duration LONG = Duration.ofMinutes(5);

  @TempDir Path home;

  @Test
  void whoUploadsManyDoesNotKeepOthersWaiting() throws Exception {
    try (Telemetry telemetry = Recorded.start();
        Database database = Database.open(DATABASE, home, telemetry)) {
      DocumentStore store = new DocumentStore(database);
      for (String user : List.of("alice", "alice", "alice", "bob")) {
        UUID id = RequestIds.next();
        store.begin(id, user, "a.txt", MediaType.TEXT, LONG, "");
        store.stored(id, "assistants", 3, id.toString());
      }
      List<String> order = new ArrayList<>();
      for (int i = 0; i < 4; i++) {
        order.add(store.claim(LONG).orElseThrow().document().userId());
      }
      assertThat(order).containsExactly("alice", "bob", "alice", "alice");
    }
  }

  @Test
  void aStoppedAttemptDoesNotCount() throws Exception {
    try (Telemetry telemetry = Recorded.start();
        Database database = Database.open(DATABASE, home, telemetry)) {
      DocumentStore store = new DocumentStore(database);
      UUID id = RequestIds.next();
      store.begin(id, "alice", "a.txt", MediaType.TEXT, LONG, "");
      store.stored(id, "assistants", 3, "abc");
      assertThat(store.release(store.claim(LONG).orElseThrow())).isTrue();
      assertThat(store.claim(LONG).orElseThrow().document().attempts()).isEqualTo(1);
    }
  }

  @Test
  void aDocumentIsItsWorkersUntilTheLeaseEnds() throws Exception {
    try (Telemetry telemetry = Recorded.start();
        Database database = Database.open(DATABASE, home, telemetry)) {
      DocumentStore store = new DocumentStore(database);
      UUID id = RequestIds.next();
      store.begin(id, "alice", "a.txt", MediaType.TEXT, LONG, "");
      assertThat(store.claim(LONG)).as("an upload that goes on is nobody's").isEmpty();
      assertThat(store.stored(id, "assistants", 3, "abc")).isTrue();

      Leased lost = store.claim(Duration.ofMillis(200)).orElseThrow();
      assertThat(store.claim(LONG)).isEmpty();
      Leased next =
          await()
              .atMost(Duration.ofSeconds(5))
              .until(() -> store.claim(LONG), Optional::isPresent)
              .orElseThrow();
      assertThat(next.document().attempts()).isEqualTo(2);
      assertThat(store.done(lost)).as("the lease is another's").isFalse();
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
}
