package dev.jarvis.document;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.jarvis.document.Document.Failure;
import dev.jarvis.document.FileStore.Content;
import dev.jarvis.document.extract.MediaType;
import dev.jarvis.error.ApiException;
import dev.jarvis.id.UuidV7;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Uploads with the same content, and files that a user does not have. */
class FileStoreTest {
  private static final Duration LONG = Duration.ofMinutes(5);
  private static final Content CONTENT = new Content(3, "abc");

  @AutoClose private static final TestDocuments documents = TestDocuments.onSharedServer();
  private static final FileStore files = documents.files();
  private static final IngestQueue queue = documents.queue();

  @BeforeEach
  void deleteAll() {
    documents.sql("DELETE FROM documents");
  }

  private static UUID begin(String user) {
    UUID id = UuidV7.next();
    files.begin(id, user, "a.txt", MediaType.TEXT, LONG, "");
    return id;
  }

  @Test
  void concurrentUploadsOfTheSameContentLeadToOneFile() {
    UUID first = begin("alice");
    UUID second = begin("alice");
    UUID others = begin("bob");

    assertThat(files.complete("alice", first, "assistants", CONTENT))
        .hasValueSatisfying(it -> assertThat(it.duplicate()).isFalse());
    assertThat(files.complete("alice", second, "assistants", CONTENT))
        .hasValueSatisfying(
            it -> {
              assertThat(it.duplicate()).isTrue();
              assertThat(it.document().id()).isEqualTo(first);
            });
    assertThat(files.complete("bob", others, "assistants", CONTENT))
        .hasValueSatisfying(it -> assertThat(it.duplicate()).isFalse());
  }

  @Test
  void aDuplicateOfAFailedFileQueuesThatFileAgain() {
    UUID failed = begin("alice");
    files.complete("alice", failed, "assistants", CONTENT);
    queue.fail(queue.claim(LONG).orElseThrow(), new Failure("encrypted", "No."), true);

    assertThat(files.complete("alice", begin("alice"), "assistants", CONTENT))
        .hasValueSatisfying(
            it -> {
              assertThat(it.document().id()).isEqualTo(failed);
              assertThat(it.document().state()).isEqualTo(Document.State.PENDING);
            });
  }

  @Test
  void anUploadThatAWorkerDeletesCannotBeCompleted() {
    UUID late = UuidV7.next();
    files.begin(late, "alice", "a.txt", MediaType.TEXT, Duration.ZERO, "");
    assertThat(queue.claim(LONG).orElseThrow().document().stage()).isEqualTo(Stage.STORE);

    assertThat(files.complete("alice", late, "assistants", CONTENT)).isEmpty();
  }

  @Test
  void aFileThatTheUserDoesNotHaveIsNamed() {
    UUID id = begin("alice");
    files.complete("alice", id, "assistants", CONTENT);
    String fileId = FileId.of(id);
    String absent = FileId.of(UuidV7.next());

    assertThat(files.require("alice", List.of(fileId, fileId), "file_ids"))
        .extracting(Document::id)
        .containsExactly(id, id);
    for (String other : List.of(absent, "file-1")) {
      assertThatThrownBy(() -> files.require("alice", List.of(fileId, other), "file_ids"))
          .isInstanceOf(ApiException.NotFound.class)
          .hasMessage("You have no file with the id '%s'.", other);
    }
    assertThatThrownBy(() -> files.require("bob", fileId, "id"))
        .isInstanceOf(ApiException.NotFound.class);
  }
}
