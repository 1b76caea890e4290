package dev.jarvis.document;

import dev.jarvis.document.extract.MediaType;
import dev.jarvis.document.extract.TextEncoding;
import java.time.Instant;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * A user's file and the state of its processing.
 *
 * @param id UUIDv7
 * @param trace {@code traceparent} of the upload, later of the processing
 */
public record Document(
    UUID id, String userId, Instant createdAt, File file, Progress progress, String trace) {

  /**
   * What was uploaded.
   *
   * @param mediaType the id of a {@link MediaType}, or of one that only a newer release knows
   * @param bytes 0 until the upload is complete
   * @param sha256 null until the upload is complete
   * @param encoding null until the text is extracted, and for formats that define it
   * @param language ISO 639-1; null until it is detected, and if it is uncertain
   */
  public record File(
      String name,
      String purpose,
      String mediaType,
      long bytes,
      @Nullable String sha256,
      @Nullable TextEncoding encoding,
      @Nullable String language) {}

  /**
   * How far the processing is.
   *
   * @param attempts begun since the upload or the last retry that the user requested
   * @param attemptsSinceProgress those since the document last got further than ever before,
   *     including the one that did
   * @param dueAt when a worker may claim the document; while one holds it, the end of its lease
   * @param error why the last attempt failed; null if none did
   * @param searchableAt null until the document can be searched
   */
  public record Progress(
      Stage stage,
      State state,
      int attempts,
      int attemptsSinceProgress,
      Instant dueAt,
      @Nullable Failure error,
      Chunks chunks,
      @Nullable Instant searchableAt) {}

  /** Whether a document is to be processed or has been. */
  public enum State {
    PENDING,
    DONE,
    FAILED
  }

  /**
   * Why an attempt failed.
   *
   * @param code for programs
   * @param message for the user
   */
  public record Failure(String code, String message) {}

  /**
   * A document's passages.
   *
   * @param total 0 until the text is divided
   * @param done by the current stage
   */
  public record Chunks(int total, int done) {}

  public State state() {
    return progress.state();
  }

  public Stage stage() {
    return progress.stage();
  }

  /** The key of the file in the object store. */
  public String objectKey() {
    return objectKey(id);
  }

  static String objectKey(UUID id) {
    return "files/" + id;
  }

  /** The id in the API. */
  public String fileId() {
    return FileId.of(id);
  }
}
