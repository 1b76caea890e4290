package dev.jarvis.document;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jarvis.document.Document.Failure;
import dev.jarvis.document.Document.File;
import dev.jarvis.document.Document.Progress;
import dev.jarvis.document.Document.State;
import dev.jarvis.document.extract.TextEncoding;
import dev.jarvis.json.Json;

/** OpenAI's {@code file} object, with the state of the processing added. */
public final class FileObject {
  private FileObject() {}

  public static ObjectNode json(Document document) {
    File file = document.file();
    Progress progress = document.progress();
    Failure error = progress.error();
    ObjectNode json =
        Json.object()
            .put("id", document.fileId())
            .put("object", "file")
            .put("bytes", file.bytes())
            .put("created_at", document.createdAt().getEpochSecond())
            .putNull("expires_at")
            .put("filename", file.name())
            .put("purpose", file.purpose())
            .put("status", status(progress.state()));
    json.put(
        "status_details",
        progress.state() == State.FAILED && error != null ? error.message() : null);
    json.put("media_type", file.mediaType()).put("sha256", file.sha256());
    TextEncoding encoding = file.encoding();
    json.put("encoding", encoding == null ? null : encoding.charset())
        .put("encoding_certain", encoding == null ? null : (Boolean) encoding.certain())
        .put("language", file.language());
    ObjectNode processing =
        json.putObject("processing")
            .put("stage", progress.stage().id())
            .put("attempts", progress.attempts())
            .put("attempts_since_progress", progress.attemptsSinceProgress())
            .put("chunks", progress.chunks().total())
            .put("chunks_done", progress.chunks().done());
    if (error == null) {
      processing.putNull("error");
    } else {
      processing.putObject("error").put("code", error.code()).put("message", error.message());
    }
    boolean pending = progress.state() == State.PENDING;
    processing.put("retry_at", pending && error != null ? progress.dueAt().toString() : null);
    processing.put(
        "searchable_at",
        progress.searchableAt() == null ? null : progress.searchableAt().toString());
    return json;
  }

  /** OpenAI's names of the states. */
  private static String status(State state) {
    return switch (state) {
      case PENDING -> "uploaded";
      case DONE -> "processed";
      case FAILED -> "error";
    };
  }
}
