package dev.jarvis.document;

import dev.jarvis.concurrent.Cancellation;
import dev.jarvis.document.Multipart.Part;
import dev.jarvis.document.extract.MediaType;
import dev.jarvis.error.ApiException;
import dev.jarvis.http.Exchange;
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
 * Receives a file: from the connection through to the object store, some MiB of it in memory at a
 * time. Its row is there before its first byte, so that a worker cleans up after who dies midway.
 */
final class Upload {
  private static final Logger LOG = LoggerFactory.getLogger(Upload.class);
  private static final int MAX_FIELD_BYTES = 1_024;
  private static final int MAX_FILENAME = 255;

  /** What may stand behind a form (RFC 2046, section 5.1.1); nobody wants it. */
  private static final int MAX_EPILOGUE_BYTES = 1 << 16;

  /** OpenAI's purposes of files that are to be read and asked about. */
  private static final List<String> PURPOSES = List.of("assistants", "user_data");

  private final DocumentConfig config;
  private final DocumentStore documents;
  private final ObjectStore objects;
  private final DocumentTelemetry telemetry;
  private final Admission admission;

  Upload(
      DocumentConfig config,
      DocumentStore documents,
      ObjectStore objects,
      DocumentTelemetry telemetry) {
    this.config = config;
    this.documents = documents;
    this.objects = objects;
    this.telemetry = telemetry;
    this.admission = new Admission("uploads", config.queues().uploads(), telemetry.waiting());
  }

  /**
   * What became of an upload.
   *
   * @param duplicate whether the user had the same content already: the document is that one
   */
  record Received(Document document, boolean duplicate) {}

  /** One file on its way. */
  private static final class Arriving {
    private final UUID id = UuidV7.next();
    private @Nullable UploadedBytes bytes;
    private @Nullable String purpose;
  }

  /**
   * Receives the request's file.
   *
   * @throws ApiException if there is not one whole file that is taken, or no room for it
   */
  Received receive(ServerRequest http) {
    String user = String.valueOf(Exchange.of(http).userId());
    try (Admission.Permit ignored = admission.acquire(user)) {
      checkRoom(documents.holdings(user));
      ClientConnection.current().bodyLimit(config.files().uploadTimeout());
      return receive(http, user);
    }
  }

  private void checkRoom(DocumentStore.Holdings holdings) {
    if (holdings.files() >= config.files().maxFiles()) {
      throw new ApiException.InvalidRequest(
          "You have %d files, which is the most that is allowed; delete some."
              .formatted(config.files().maxFiles()),
          "file",
          "too_many_files");
    }
    if (holdings.bytes() >= config.files().maxUserBytes()) {
      throw new ApiException.InvalidRequest(
          "Your files have %d bytes; %d are allowed in all. Delete some."
              .formatted(holdings.bytes(), config.files().maxUserBytes()),
          "file",
          "too_many_bytes");
    }
  }

  private Received receive(ServerRequest http, String user) {
    String type = http.headers().first(HeaderNames.CONTENT_TYPE).orElse("");
    InputStream in =
        http.content().hasEntity() ? http.content().inputStream() : InputStream.nullInputStream();
    Arriving arriving = new Arriving();
    boolean whole = false;
    try {
      read(new Multipart(type, in), arriving, user);
      in.skip(MAX_EPILOGUE_BYTES);
      UploadedBytes bytes = arriving.bytes;
      if (bytes == null) {
        throw invalid("The form has no part \"file\" with a filename.", "file");
      }
      String purpose = purpose(arriving.purpose);
      String sha256 = bytes.sha256();
      whole = documents.stored(arriving.id, purpose, bytes.count(), sha256);
      return whole
          ? new Received(documents.find(user, arriving.id).orElseThrow(), false)
          : new Received(documents.findContent(user, sha256).orElseThrow(Upload::tooLate), true);
    } catch (IOException | RuntimeException e) {
      throw toClient(e);
    } finally {
      if (!whole && arriving.bytes != null) {
        forget(user, arriving.id);
      }
    }
  }

  private void read(Multipart form, Arriving arriving, String user) throws IOException {
    for (Optional<Part> next = form.next(); next.isPresent(); next = form.next()) {
      Part part = next.get();
      String field = part.name();
      if (field.equals("file") && part.filename() != null) {
        if (arriving.bytes != null) {
          throw invalid("The form has more than one \"file\"; send one at a time.", "file");
        }
        store(part, arriving, user);
      } else if (field.equals("purpose")) {
        arriving.purpose = text(part);
      } else {
        throw invalid(
            "The form has a part \"%s\"; taken are \"file\", with a filename, and \"purpose\"."
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
    documents.begin(
        arriving.id,
        user,
        filename,
        type,
        config.files().uploadTimeout().multipliedBy(2),
        DocumentTelemetry.current());
    arriving.bytes = bytes;
    try {
      telemetry.stage(Stage.STORE, () -> objects.put("files/" + arriving.id, bytes));
    } catch (Exception e) {
      Exception failure = bytes.failure();
      if (failure instanceof IOException cause) {
        throw cause;
      }
      if (failure instanceof RuntimeException cause) {
        throw cause;
      }
      throw new ApiException.StorageUnavailable(
          "The object store cannot take the file; try again later.", "object_store_unavailable", e);
    }
  }

  private static String purpose(@Nullable String purpose) {
    if (purpose == null || !PURPOSES.contains(purpose)) {
      throw invalid(
          "'purpose' is required: one of %s.".formatted(String.join(", ", PURPOSES)), "purpose");
    }
    return purpose;
  }

  /** The name alone, whatever path and tricks are in what the client sent. */
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
   * A worker deletes what was stored; if not even that can be noted, when the upload's time ends.
   */
  private void forget(String user, UUID id) {
    try {
      // also where the upload itself was cancelled
      new Cancellation().run(() -> documents.delete(user, id));
    } catch (RuntimeException e) {
      LOG.atDebug().setCause(e).log("an upload that failed is left to time");
    }
  }

  private static RuntimeException toClient(Exception error) {
    for (Throwable e = error; e != null; e = e.getCause()) {
      if (e instanceof CloseConnectionException gone) {
        return gone;
      }
      if (e instanceof ApiException told) {
        return told;
      }
      if (e instanceof RequestException refused) {
        return refused.status().equals(Status.REQUEST_TIMEOUT_408)
            ? tooSlow()
            : refused.status().equals(Status.REQUEST_ENTITY_TOO_LARGE_413)
                ? new ApiException.BodyTooLarge("The body is larger than allowed.")
                : new ApiException.AmbiguousFraming(
                    "The body cannot be read: its framing is broken.");
      }
    }
    if (error instanceof FileUploadSizeException) {
      return invalid("The head of a part of the form is too large.", null);
    }
    if (error instanceof FileUploadException || error instanceof IOException) {
      return invalid("The body is not a whole multipart/form-data form.", null);
    }
    return (RuntimeException) error;
  }

  /** Its time ended while its last byte was stored, or the same content was deleted meanwhile. */
  private static ApiException tooLate() {
    return new ApiException.StorageUnavailable(
        "The file could not be kept; send it again.", "upload_lost", null);
  }

  private static ApiException tooSlow() {
    return new ApiException.BodyTooSlow("The file did not come in time.");
  }

  private static ApiException invalid(String message, @Nullable String param) {
    return new ApiException.InvalidRequest(message, param, "invalid_form");
  }
}
