package dev.jarvis.document;

import dev.jarvis.document.Document.State;
import dev.jarvis.document.extract.MediaType;
import dev.jarvis.error.ApiException;
import dev.jarvis.storage.Database;
import dev.jarvis.storage.Sql;
import io.helidon.dbclient.DbClientException;
import io.helidon.dbclient.DbExecute;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * The table {@code documents} as users see it: their files, from upload to deletion. Workers use
 * {@link IngestQueue}.
 */
public final class FileStore {
  private final Database database;

  FileStore(Database database) {
    this.database = database;
  }

  /** How much a user stores. */
  record Usage(long files, long bytes) {}

  /** The content of a complete upload. */
  record Content(long bytes, String sha256) {}

  /**
   * The file that an upload led to.
   *
   * @param duplicate whether the user had a file with the same content: it is that one
   */
  record Stored(Document document, boolean duplicate) {}

  /**
   * Records that an upload begins.
   *
   * @param limit after this time a worker deletes the upload unless it is complete
   * @param trace {@code traceparent} of the upload
   */
  void begin(
      UUID id, String userId, String filename, MediaType type, Duration limit, String trace) {
    database.execute(
        Sql.update(
            "insert_document",
            """
            INSERT INTO documents (id, user_id, filename, purpose, media_type, stage, due_at, upload_trace)
            VALUES (CAST(? AS uuid), ?, ?, '', ?, 'store', now() + CAST(? AS interval), ?)""",
            id,
            userId,
            filename,
            type.id(),
            IngestQueue.interval(limit),
            trace));
  }

  /**
   * Records that an upload is complete, and queues the file. A file of the user with the same
   * content takes its place; that one is queued again if its processing had failed.
   *
   * @return empty if the upload took too long
   */
  Optional<Stored> complete(String userId, UUID id, String purpose, Content content) {
    if (queue(id, purpose, content)) {
      return find(userId, id).map(it -> new Stored(it, false));
    }
    return findContent(userId, content.sha256())
        .map(it -> new Stored(it.state() == State.FAILED ? retried(it) : it, true));
  }

  /** Returns false if the user has the same content already, or the upload took too long. */
  private boolean queue(UUID id, String purpose, Content content) {
    try {
      return database.execute(
              Sql.update(
                  "store_document",
                  """
                  UPDATE documents SET purpose = ?, bytes = ?, sha256 = ?, stage = 'extract', due_at = now(), queued_at = now()
                  WHERE id = CAST(? AS uuid) AND stage = 'store' AND lease IS NULL""",
                  purpose,
                  content.bytes(),
                  content.sha256(),
                  id))
          > 0;
    } catch (DbClientException e) {
      if (Database.isDuplicate(e)) {
        return false;
      }
      throw e;
    }
  }

  private Document retried(Document document) {
    retry(document.userId(), document.id());
    return find(document.userId(), document.id()).orElse(document);
  }

  /**
   * Returns a file of the user.
   *
   * @param param the request's field that holds the id, for the error
   * @throws ApiException.NotFound if the user has no such file
   */
  Document require(String userId, String fileId, String param) {
    return FileId.parse(fileId)
        .flatMap(id -> find(userId, id))
        .orElseThrow(() -> notFound(fileId, param));
  }

  /**
   * Returns files of the user, in the order of their ids.
   *
   * @param param the request's field that holds the ids, for the error
   * @throws ApiException.NotFound naming the first that the user does not have
   */
  public List<Document> require(String userId, List<String> fileIds, String param) {
    List<UUID> ids = new ArrayList<>();
    for (String fileId : fileIds) {
      ids.add(FileId.parse(fileId).orElseThrow(() -> notFound(fileId, param)));
    }
    String sql =
        "SELECT %s FROM documents WHERE user_id = ? AND id = ANY (CAST(? AS uuid[])) AND stage NOT IN ('store', 'delete')"
            .formatted(DocumentRow.COLUMNS);
    Map<String, Document> found =
        database
            .execute(Sql.list("find_documents", sql, DocumentRow::read, userId, Sql.array(ids)))
            .stream()
            .collect(Collectors.toMap(Document::fileId, Function.identity()));
    List<Document> files = new ArrayList<>();
    for (String fileId : fileIds) {
      Document file = found.get(fileId);
      if (file == null) {
        throw notFound(fileId, param);
      }
      files.add(file);
    }
    return files;
  }

  private static ApiException notFound(String fileId, String param) {
    return new ApiException.NotFound(
        "You have no file with the id '%s'.".formatted(fileId), param, "file_not_found");
  }

  Optional<Document> find(String userId, UUID id) {
    String sql =
        "SELECT %s FROM documents WHERE user_id = ? AND id = CAST(? AS uuid) AND stage NOT IN ('store', 'delete')"
            .formatted(DocumentRow.COLUMNS);
    return database.execute(Sql.get("find_document", sql, DocumentRow::read, userId, id));
  }

  private Optional<Document> findContent(String userId, String sha256) {
    String sql =
        "SELECT %s FROM documents WHERE user_id = ? AND sha256 = ? AND stage <> 'delete'"
            .formatted(DocumentRow.COLUMNS);
    return database.execute(
        Sql.get("find_document_by_content", sql, DocumentRow::read, userId, sha256));
  }

  /**
   * Returns a page of a user's files, by the time of upload.
   *
   * @param after the last file of the previous page; null for the first page
   * @param purpose null for any
   */
  public List<Document> list(
      String userId,
      @Nullable UUID after,
      @Nullable String purpose,
      boolean newestFirst,
      int limit) {
    String sql =
        """
        SELECT %s FROM documents
        WHERE user_id = ? AND stage NOT IN ('store', 'delete')
          AND (CAST(? AS uuid) IS NULL OR id %s CAST(? AS uuid)) AND (CAST(? AS text) IS NULL OR purpose = ?)
        ORDER BY id %s LIMIT ?"""
            .formatted(DocumentRow.COLUMNS, newestFirst ? "<" : ">", newestFirst ? "DESC" : "ASC");
    return database.execute(
        Sql.list(
            "list_documents",
            sql,
            DocumentRow::read,
            userId,
            after,
            after,
            purpose,
            purpose,
            limit));
  }

  /** Returns how much a user stores, including uploads in progress. */
  Usage usage(String userId) {
    return database
        .execute(
            Sql.get(
                "count_documents",
                """
                SELECT count(*) AS files, CAST(coalesce(sum(bytes), 0) AS bigint) AS bytes
                FROM documents WHERE user_id = ? AND stage <> 'delete'""",
                it -> new Usage(it.column("files").getLong(), it.column("bytes").getLong()),
                userId))
        .orElseThrow();
  }

  /** Returns how many of a user's files are still to be processed. */
  public long pending(String userId) {
    return database
        .execute(
            Sql.get(
                "count_pending_documents",
                "SELECT count(*) AS n FROM documents WHERE user_id = ? AND state = 'pending' AND stage NOT IN ('store', 'delete')",
                it -> it.column("n").getLong(),
                userId))
        .orElseThrow();
  }

  /**
   * Hides a file at once and ends the lease of a worker that processes it; another worker deletes
   * what is stored.
   *
   * @return false if it is deleted already
   */
  boolean delete(String userId, UUID id) {
    return database.execute(
            Sql.update(
                "delete_document",
                """
                UPDATE documents SET stage = 'delete', state = 'pending', due_at = now(), lease = NULL, attempts = 0
                WHERE user_id = ? AND id = CAST(? AS uuid) AND stage <> 'delete'""",
                userId,
                id))
        > 0;
  }

  /**
   * Hides files of a user as {@link #delete} does, but for uploads in progress: their bytes may
   * come after the purge. Those are there to hide when they are complete; else a worker deletes
   * them in time.
   *
   * @return how many; fewer than the limit if none is left
   */
  public static Function<DbExecute, Long> deleteAll(String userId, int limit) {
    return Sql.update(
        "delete_user_documents",
        """
        UPDATE documents SET stage = 'delete', state = 'pending', due_at = now(), lease = NULL, attempts = 0
        WHERE id IN (SELECT id FROM documents WHERE user_id = ? AND stage NOT IN ('store', 'delete') LIMIT ?)""",
        userId,
        limit);
  }

  /** Returns whether anything of a user's files is left: also of deleted ones, and uploads. */
  public static Function<DbExecute, Boolean> isAnyLeft(String userId) {
    return db ->
        Sql.get(
                "find_user_document",
                "SELECT id FROM documents WHERE user_id = ? LIMIT 1",
                it -> true,
                userId)
            .apply(db)
            .isPresent();
  }

  /**
   * Queues a file to be processed again from the first stage.
   *
   * @return false if it is queued or in process already
   */
  boolean retry(String userId, UUID id) {
    return database.execute(
            Sql.update(
                "retry_document",
                """
                UPDATE documents SET stage = 'extract', state = 'pending', due_at = now(), lease = NULL, attempts = 0,
                  attempts_since_progress = 0, deferrals = 0, furthest = 0, model_changes = 0, chunks_done = 0,
                  searchable_at = NULL, embedding_model = NULL, language = NULL, rejected = false, queued_at = now()
                WHERE user_id = ? AND id = CAST(? AS uuid) AND state <> 'pending'""",
                userId,
                id))
        > 0;
  }
}
