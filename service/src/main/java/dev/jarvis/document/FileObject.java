package dev.jarvis.document;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jarvis.document.Document.Failure;
import dev.jarvis.document.Document.State;
import dev.jarvis.error.ApiException;
import dev.jarvis.json.Json;

/** OpenAI's {@code file} object, with what JARVIS adds to it. */
public final class FileObject {
  private FileObject() {}

  public static ApiException notFound(String fileId, String param) {
    return new ApiException.NotFound(
        "There is no file '%s' of yours.".formatted(fileId), param, "file_not_found");
  }

  static ObjectNode json(Document document) {
    ObjectNode json =
        Json.object()
            .put("id", document.fileId())
            .put("object", "file")
            .put("bytes", document.bytes())
            .put("created_at", document.createdAt().getEpochSecond())
            .putNull("expires_at")
            .put("filename", document.filename())
            .put("purpose", document.purpose())
            .put("status", status(document.state()));
    Failure error = document.error();
    json.put(
        "status_details",
        document.state() == State.FAILED && error != null ? error.message() : null);
    json.put("media_type", document.mediaType().id()).put("sha256", document.sha256());
    ObjectNode processing =
        json.putObject("processing")
            .put("stage", document.stage().id())
            .put("attempts", document.attempts())
            .put("chunks", document.chunks())
            .put("chunks_done", document.chunksDone());
    if (error == null) {
      processing.putNull("error");
    } else {
      processing.putObject("error").put("code", error.code()).put("message", error.message());
    }
    boolean waits = document.state() == State.PENDING;
    processing.put("retry_at", waits && error != null ? document.dueAt().toString() : null);
    processing.put(
        "searchable_at",
        document.searchableAt() == null ? null : document.searchableAt().toString());
    return json;
  }

  /** OpenAI's words. */
  private static String status(State state) {
    return switch (state) {
      case PENDING -> "uploaded";
      case DONE -> "processed";
      case FAILED -> "error";
    };
  }
}
