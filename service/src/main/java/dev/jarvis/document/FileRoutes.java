package dev.jarvis.document;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jarvis.document.extract.MediaType;
import dev.jarvis.error.ApiException;
import dev.jarvis.gateway.Permission;
import dev.jarvis.http.Access;
import dev.jarvis.http.Endpoint;
import dev.jarvis.http.Exchange;
import dev.jarvis.http.JsonResponse;
import dev.jarvis.http.Routes;
import dev.jarvis.json.Json;
import dev.jarvis.storage.ObjectStore;
import io.helidon.http.HeaderNames;
import io.helidon.webserver.CloseConnectionException;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * {@code /v1/files}, as <a href="https://platform.openai.com/docs/api-reference/files">OpenAI
 * documents it</a>, with the state of each file's processing.
 */
final class FileRoutes {
  private static final String DEFAULT_LIMIT = "1000";
  private static final int BUFFER_BYTES = 1 << 16;

  private final FileStore files;
  private final ObjectStore objects;
  private final Upload upload;
  private final Runnable queued;

  /**
   * @param queued called when there is new work for the workers
   */
  FileRoutes(FileStore files, ObjectStore objects, Upload upload, Runnable queued) {
    this.files = files;
    this.objects = objects;
    this.upload = upload;
    this.queued = queued;
  }

  void register(Routes routes) {
    routes
        .add(
            Endpoint.post("/v1/files", Access.KEY)
                .permission(Permission.FILES)
                .operation("documents", "createFile", "Uploads a document.")
                .body("multipart/form-data", "document/FileUpload")
                .answer(200, "The file.", "document/File"),
            DatabaseErrors.reported(this::upload))
        .add(
            Endpoint.get("/v1/files", Access.KEY)
                .permission(Permission.FILES)
                .operation("documents", "listFiles", "Lists the user's files.")
                .query("document/FileListQuery")
                .answer(200, "A page of files.", "document/FileList")
                .errors(503),
            DatabaseErrors.reported(this::list))
        .add(
            file(Endpoint.get("/v1/files/{id}", Access.KEY))
                .operation(
                    "documents", "retrieveFile", "Returns a file and the state of its processing.")
                .answer(200, "The file.", "document/File"),
            DatabaseErrors.reported(this::get))
        .add(
            file(Endpoint.delete("/v1/files/{id}", Access.KEY))
                .operation("documents", "deleteFile", "Deletes a file.")
                .answer(200, "The file is deleted.", "document/FileDeletion"),
            DatabaseErrors.reported(this::delete))
        .add(contentEndpoint(), DatabaseErrors.reported(this::content))
        .add(
            file(Endpoint.post("/v1/files/{id}/retry", Access.KEY))
                .operation("documents", "retryFile", "Processes a file again, from the start.")
                .answer(200, "The file.", "document/File"),
            DatabaseErrors.reported(this::retry));
  }

  private static Endpoint contentEndpoint() {
    Endpoint endpoint =
        file(Endpoint.get("/v1/files/{id}/content", Access.KEY))
            .operation("documents", "downloadFile", "Returns a file as it was uploaded.");
    for (MediaType type : MediaType.values()) {
      endpoint.binary(200, "The bytes of the file.", type.id());
    }
    return endpoint;
  }

  private static Endpoint file(Endpoint endpoint) {
    return endpoint
        .permission(Permission.FILES)
        .path("id", "The id of a file of the user.")
        .errors(404, 503);
  }

  private void upload(ServerRequest request, ServerResponse response) {
    FileStore.Stored stored = upload.receive(request);
    queued.run();
    JsonResponse.send(
        response, FileObject.json(stored.document()).put("duplicate", stored.duplicate()));
  }

  private void list(ServerRequest request, ServerResponse response) {
    String order = query(request, "order");
    String after = query(request, "after");
    UUID last = after == null ? null : last(after);
    int limit = Integer.parseInt(request.query().first("limit").orElse(DEFAULT_LIMIT));
    List<Document> page =
        files.list(user(request), last, query(request, "purpose"), !"asc".equals(order), limit + 1);
    boolean more = page.size() > limit;
    List<Document> shown = more ? page.subList(0, limit) : page;
    ObjectNode body = Json.object().put("object", "list");
    ArrayNode data = body.putArray("data");
    shown.forEach(it -> data.add(FileObject.json(it)));
    body.put("first_id", shown.isEmpty() ? null : shown.getFirst().fileId())
        .put("last_id", shown.isEmpty() ? null : shown.getLast().fileId())
        .put("has_more", more);
    JsonResponse.send(response, body);
  }

  private void get(ServerRequest request, ServerResponse response) {
    JsonResponse.send(response, FileObject.json(find(request)));
  }

  private void delete(ServerRequest request, ServerResponse response) {
    Document document = find(request);
    files.delete(document.userId(), document.id());
    queued.run();
    JsonResponse.send(
        response,
        Json.object().put("id", document.fileId()).put("object", "file").put("deleted", true));
  }

  private void retry(ServerRequest request, ServerResponse response) {
    Document document = find(request);
    if (!files.retry(document.userId(), document.id())) {
      throw invalid("The file is already queued or being processed.", "id");
    }
    queued.run();
    JsonResponse.send(response, FileObject.json(find(request)));
  }

  private void content(ServerRequest request, ServerResponse response) {
    Document document = find(request);
    InputStream opened;
    try {
      opened = objects.get(document.objectKey());
    } catch (IOException e) {
      throw new ApiException.StorageUnavailable(
          "The file could not be read from the object store; try again later.",
          "object_store_unavailable",
          e);
    }
    response.header(HeaderNames.CONTENT_TYPE, document.file().mediaType());
    response.header(HeaderNames.CONTENT_LENGTH, Long.toString(document.file().bytes()));
    response.header(HeaderNames.CONTENT_DISPOSITION, disposition(document.file().name()));
    response.header(HeaderNames.create("x-content-type-options"), "nosniff");
    try (InputStream in = opened;
        OutputStream out = response.outputStream()) {
      byte[] buffer = new byte[BUFFER_BYTES];
      for (int read = in.read(buffer); read >= 0; read = in.read(buffer)) {
        out.write(buffer, 0, read);
      }
    } catch (IOException e) {
      // the status is sent already, so only a short body can report the error
      throw new CloseConnectionException("a file could not be read", e);
    }
  }

  /** A download under the name of the upload, which no browser displays (RFC 6266). */
  private static String disposition(String filename) {
    String encoded = URLEncoder.encode(filename, StandardCharsets.UTF_8).replace("+", "%20");
    return "attachment; filename*=UTF-8''" + encoded;
  }

  private Document find(ServerRequest request) {
    return files.require(user(request), request.path().pathParameters().get("id"), "id");
  }

  /** The file itself may have been deleted, as by a client that deletes page by page. */
  private static UUID last(String fileId) {
    return FileId.parse(fileId)
        .orElseThrow(
            () ->
                invalid(
                    "'after' is '%s'; it must be the id of a file.".formatted(fileId), "after"));
  }

  private static @Nullable String query(ServerRequest request, String name) {
    return request.query().first(name).orElse(null);
  }

  private static String user(ServerRequest request) {
    return String.valueOf(Exchange.of(request).userId());
  }

  private static ApiException invalid(String message, String param) {
    return new ApiException.InvalidRequest(message, param, "invalid_value");
  }
}
