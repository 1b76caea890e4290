package dev.jarvis.document;

import dev.jarvis.concurrent.Cancellation;
import dev.jarvis.document.FileStore.Stored;
import dev.jarvis.document.Multipart.Part;
import dev.jarvis.document.extract.MediaType;
import dev.jarvis.error.ApiException;
import dev.jarvis.http.Exchange;
import dev.jarvis.http.RequestContent;
import dev.jarvis.http.connection.ClientConnection;
import dev.jarvis.id.UuidV7;
import dev.jarvis.limit.Admission;
import dev.jarvis.storage.ObjectStore;
import io.helidon.http.HeaderNames;
import io.helidon.http.RequestException;
import io.helidon.http.Status;
import io.helidon.webserver.CloseConnectionException;
import io.helidon.webserver.http.ServerRequest;
import java.io.BufferedInputStream;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.SequenceInputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.apache.commons.fileupload2.core.FileUploadException;
import org.apache.commons.fileupload2.core.FileUploadSizeException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Receives a file and streams it to the object store, a few MiB of it in memory at a time. Its row
 * is inserted before its first byte is stored, so that a worker can clean up if this process dies
 * midway.
 */
final class Upload implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Upload.class);
  private static final int MAX_FIELD_BYTES = 1_024;
  private static final int MAX_FILENAME = 255;

  /** What may follow a form (RFC 2046, section 5.1.1); it is ignored. */
  private static final int MAX_EPILOGUE_BYTES = 1 << 16;

  /** OpenAI's purposes of files that are searched. */
  private static final List<String> PURPOSES = List.of("assistants", "user_data");

  private final DocumentConfig config;
  private final FileStore files;
  private final ObjectStore objects;
  private final DocumentTelemetry telemetry;
  private final UploadSlots slots;

  Upload(DocumentConfig config, FileStore files, ObjectStore objects, DocumentTelemetry telemetry) {
    this.config = config;
    this.files = files;
    this.objects = objects;
    this.telemetry = telemetry;
    this.slots =
        new UploadSlots(
            new Admission("uploads", config.queues().uploads(), telemetry.waiting()),
            config.queues(),
            System::nanoTime);
    slots.start();
  }

  /** What has been received of the form. */
  private static final class Arriving {
    private final UUID id = UuidV7.next();
    private @Nullable UploadedBytes bytes;
    private @Nullable String purpose;
  }

  /**
   * Receives the request's file.
   *
   * @throws ApiException if the request does not hold exactly one acceptable file, or the user may
   *     not store more
   */
  Stored receive(ServerRequest http) {
    String user = String.valueOf(Exchange.of(http).userId());
    try (UploadSlots.Slot slot = slots.acquire(user)) {
      checkUsage(files.usage(user));
      ClientConnection.current().bodyLimit(config.files().uploadTimeout());
      return receive(http, user, slot);
    }
  }

  private void checkUsage(FileStore.Usage usage) {
    if (usage.files() >= config.files().maxFiles()) {
      throw new ApiException.InvalidRequest(
          "You have %d files; the maximum is %d. Delete some."
              .formatted(usage.files(), config.files().maxFiles()),
          "file",
          "too_many_files");
    }
    if (usage.bytes() >= config.files().maxUserBytes()) {
      throw new ApiException.InvalidRequest(
          "Your files take %d bytes in total; the maximum is %d. Delete some."
              .formatted(usage.bytes(), config.files().maxUserBytes()),
          "file",
          "too_many_bytes");
    }
  }

  private Stored receive(ServerRequest http, String user, UploadSlots.Slot slot) {
    String type = http.headers().first(HeaderNames.CONTENT_TYPE).orElse("");
    // what the network delivers is measured, because gzip makes much of little
    InputStream in =
        RequestContent.open(
            http,
            config.files().maxUploadBytes(),
            it -> slot.measured(it, ClientConnection.current().bodyEnd()));
    Arriving arriving = new Arriving();
    boolean complete = false;
    try {
      read(new Multipart(type, in), arriving, user);
      var _ = in.readNBytes(MAX_EPILOGUE_BYTES);
      UploadedBytes bytes = arriving.bytes;
      if (bytes == null) {
        throw invalid("The form must have a part \"file\" with a filename.", "file");
      }
      String purpose = purpose(arriving.purpose);
      Stored stored =
          files.complete(user, arriving.id, purpose, bytes.content()).orElseThrow(Upload::tooLate);
      complete = !stored.duplicate();
      return stored;
    } catch (IOException | RuntimeException e) {
      RuntimeException error = toClient(e);
      throw error instanceof ApiException.BodyTooSlow && slot.ended() ? slot.error() : error;
    } finally {
      if (!complete && arriving.bytes != null) {
        discard(user, arriving.id);
      }
    }
  }

  private void read(Multipart form, Arriving arriving, String user) throws IOException {
    for (Optional<Part> next = form.next(); next.isPresent(); next = form.next()) {
      Part part = next.get();
      String field = part.name();
      if (field.equals("file") && part.filename() != null) {
        if (arriving.bytes != null) {
          throw invalid("The form has more than one part \"file\"; the maximum is 1.", "file");
        }
        store(part, arriving, user);
      } else if (field.equals("purpose")) {
        arriving.purpose = text(part);
      } else {
        throw invalid(
            "The form has an unexpected part \"%s\"; allowed are \"file\", with a filename, and \"purpose\"."
                .formatted(field.replaceAll("[^\\w\\[\\].-]", "_")),
            null);
      }
    }
  }

  private void store(Part part, Arriving arriving, String user) throws IOException {
    String filename = filename(part.filename());
    InputStream content = new BufferedInputStream(part.content(), FileType.HEAD_BYTES);
    byte[] head = content.readNBytes(FileType.HEAD_BYTES);
    MediaType type = FileType.detect(head, filename);
    UploadedBytes bytes =
        new UploadedBytes(
            new SequenceInputStream(new ByteArrayInputStream(head), content),
            config.files().maxFileBytes());
    files.begin(
        arriving.id,
        user,
        filename,
        type,
        config.files().uploadTimeout().multipliedBy(2),
        TraceParent.current());
    arriving.bytes = bytes;
    try {
      telemetry.stage(Stage.STORE, () -> objects.put(Document.objectKey(arriving.id), bytes));
    } catch (Exception e) {
      Exception failure = bytes.failure();
      if (failure instanceof IOException cause) {
        throw cause;
      }
      if (failure instanceof RuntimeException cause) {
        throw cause;
      }
      throw new ApiException.StorageUnavailable(
          "The file could not be written to the object store; try again later.",
          "object_store_unavailable",
          e);
    }
  }

  private static String purpose(@Nullable String purpose) {
    if (purpose == null || !PURPOSES.contains(purpose)) {
      throw invalid(
          "'purpose' is %s; allowed are %s."
              .formatted(
                  purpose == null ? "missing" : "'%s'".formatted(purpose),
                  String.join(", ", PURPOSES)),
          "purpose");
    }
    return purpose;
  }

  /** Returns the name without a path and without control characters. */
  private static String filename(@Nullable String sent) {
    String name = sent == null ? "" : sent;
    name = name.substring(Math.max(name.lastIndexOf('/'), name.lastIndexOf('\\')) + 1);
    name = name.replaceAll("[\\p{Cntrl}\\p{Cf}\\p{Cs}]", "").strip();
    if (name.isEmpty() || name.equals(".") || name.equals("..")) {
      return "file";
    }
    return name.substring(0, Math.min(name.length(), MAX_FILENAME));
  }

  private static String text(Part part) throws IOException {
    byte[] bytes = part.content().readNBytes(MAX_FIELD_BYTES);
    return new String(bytes, StandardCharsets.UTF_8).strip();
  }

  /**
   * Has a worker delete what was stored. If the database is unavailable, a worker does so when the
   * time for the upload is over.
   */
  private void discard(String user, UUID id) {
    try {
      // a scope of its own, because that of the upload may be cancelled
      new Cancellation().run(() -> files.delete(user, id));
    } catch (RuntimeException e) {
      LOG.atDebug().setCause(e).log("a failed upload will be deleted later");
    }
  }

  private static RuntimeException toClient(Exception error) {
    for (Throwable e = error; e != null; e = e.getCause()) {
      if (e instanceof CloseConnectionException gone) {
        return gone;
      }
      if (e instanceof ApiException expected) {
        return expected;
      }
      if (e instanceof RequestException refused) {
        return refused.status().equals(Status.REQUEST_TIMEOUT_408)
            ? tooSlow()
            : refused.status().equals(Status.REQUEST_ENTITY_TOO_LARGE_413)
                ? new ApiException.BodyTooLarge("The body is larger than the server accepts.")
                : new ApiException.AmbiguousFraming(
                    "The body cannot be read because its framing is invalid.");
      }
    }
    if (error instanceof FileUploadSizeException) {
      return invalid("The header of a part of the form is too large.", null);
    }
    if (error instanceof FileUploadException || error instanceof IOException) {
      return invalid("The body is not a complete multipart/form-data form.", null);
    }
    return (RuntimeException) error;
  }

  /** The upload's time ended with its last byte, or its duplicate was deleted meanwhile. */
  private static ApiException tooLate() {
    return new ApiException.StorageUnavailable(
        "The upload took too long and was discarded; send the file again.", "upload_lost", null);
  }

  private static ApiException tooSlow() {
    return new ApiException.BodyTooSlow("The file was not received in time.");
  }

  private static ApiException invalid(String message, @Nullable String param) {
    return new ApiException.InvalidRequest(message, param, "invalid_form");
  }

  @Override
  public void close() {
    slots.close();
  }
}
