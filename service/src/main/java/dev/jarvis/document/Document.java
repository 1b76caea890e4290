package dev.jarvis.document;

import dev.jarvis.document.extract.MediaType;
import java.time.Instant;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * A user's file and what is known of its processing.
 *
 * @param id UUIDv7
 * @param bytes 0 until the upload has ended, as the hash is null
 * @param attempts that were begun since the upload or the last retry by hand
 * @param dueAt when a worker may take it; while one has it, the end of its lease
 * @param error why the last attempt failed; null if none did
 * @param chunks passages, once they are cut
 * @param chunksDone of the current stage
 * @param searchableAt since when it can be asked about
 * @param trace {@code traceparent} of the upload, later of the processing
 */
public record Document(
    UUID id,
    String userId,
    String filename,
    String purpose,
    MediaType mediaType,
    long bytes,
    @Nullable String sha256,
    Instant createdAt,
    Stage stage,
    State state,
    int attempts,
    Instant dueAt,
    @Nullable Failure error,
    int chunks,
    int chunksDone,
    @Nullable Instant searchableAt,
    String trace) {

  /** How far a document is. */
  public enum State {
    PENDING,
    DONE,
    FAILED
  }

  /**
   * Why an attempt failed, for the owner.
   *
   * @param code for programs
   */
  public record Failure(String code, String message) {}

  /** Where the bytes lie. */
  public String objectKey() {
    return "files/" + id;
  }

  /** The id that clients know. */
  public String fileId() {
    return FileId.of(id);
  }
}
