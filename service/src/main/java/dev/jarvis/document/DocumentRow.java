package dev.jarvis.document;

import dev.jarvis.document.Document.Chunks;
import dev.jarvis.document.Document.Failure;
import dev.jarvis.document.Document.File;
import dev.jarvis.document.Document.Progress;
import dev.jarvis.document.Document.State;
import dev.jarvis.document.extract.TextEncoding;
import io.helidon.dbclient.DbColumn;
import io.helidon.dbclient.DbRow;
import java.sql.Timestamp;
import java.time.Instant;
import java.util.Locale;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** A row of the table {@code documents}. */
final class DocumentRow {
  static final String COLUMNS =
      """
      id, user_id, filename, purpose, media_type, bytes, sha256, created_at, stage, state, attempts, attempts_since_progress,
      due_at, error_code, error_message, encoding, encoding_certain, language, chunks, chunks_done, searchable_at,
      coalesce(ingestion_trace, upload_trace) AS trace""";

  private DocumentRow() {}

  static Document read(DbRow row) {
    return new Document(
        row.column("id").get(UUID.class),
        row.column("user_id").getString(),
        row.column("created_at").get(Timestamp.class).toInstant(),
        new File(
            row.column("filename").getString(),
            row.column("purpose").getString(),
            row.column("media_type").getString(),
            row.column("bytes").getLong(),
            text(row.column("sha256")),
            encoding(row),
            text(row.column("language"))),
        new Progress(
            Stage.of(row.column("stage").getString()),
            State.valueOf(row.column("state").getString().toUpperCase(Locale.ROOT)),
            row.column("attempts").getInt(),
            row.column("attempts_since_progress").getInt(),
            row.column("due_at").get(Timestamp.class).toInstant(),
            failure(row),
            new Chunks(row.column("chunks").getInt(), row.column("chunks_done").getInt()),
            time(row.column("searchable_at"))),
        row.column("trace").getString());
  }

  private static @Nullable TextEncoding encoding(DbRow row) {
    String charset = text(row.column("encoding"));
    return charset == null
        ? null
        : new TextEncoding(charset, row.column("encoding_certain").getBoolean());
  }

  private static @Nullable Failure failure(DbRow row) {
    String code = text(row.column("error_code"));
    return code == null
        ? null
        : new Failure(code, String.valueOf(text(row.column("error_message"))));
  }

  private static @Nullable Instant time(DbColumn column) {
    Timestamp time = column.get(Timestamp.class);
    return time == null ? null : time.toInstant();
  }

  /** A text or null: {@code getString} refuses null. */
  static @Nullable String text(DbColumn column) {
    return column.get(String.class);
  }
}
