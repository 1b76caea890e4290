package dev.jarvis.document;

import dev.jarvis.document.Document.Failure;
import dev.jarvis.document.Document.State;
import dev.jarvis.document.extract.MediaType;
import dev.jarvis.storage.Database;
import io.helidon.dbclient.DbClientException;
import io.helidon.dbclient.DbRow;
import io.helidon.dbclient.DbStatementDml;
import java.sql.SQLException;
import java.sql.Timestamp;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** The table {@code documents}: users' files, and the queue of those that are worked on. */
public final class DocumentStore {
  private static final String COLUMNS =
      """
      id, user_id, filename, purpose, media_type, bytes, sha256, created_at, stage, state, attempts, due_at, error_code,
      error_message, chunks, chunks_done, searchable_at, coalesce(ingestion_trace, upload_trace) AS trace""";

  private static final String UNIQUE_VIOLATION = "23505";

  private final Database database;

  public DocumentStore(Database database) {
    this.database = database;
  }

  /**
   * Numbers of the queue.
   *
   * @param deadLetters given up by no fault of the file
   */
  record Queue(long depth, long oldestAgeSeconds, long deadLetters) {}

  /** How much a user has. */
  record Holdings(long files, long bytes) {}

  /** A document that a worker has, and the token by which it is still the worker's. */
  public record Leased(Document document, UUID lease) {}

  /** Notes an upload that begins; it is thrown away if it does not end in time. */
  public void begin(
      UUID id, String user, String filename, MediaType type, Duration limit, String trace) {
    dml(
        "insert_document",
        """
            INSERT INTO documents (id, user_id, filename, purpose, media_type, stage, due_at, upload_trace)
            VALUES (CAST(? AS uuid), ?, ?, '', ?, 'store', now() + CAST(? AS interval), ?)""",
        id,
        user,
        filename,
        type.id(),
        interval(limit),
        trace);
  }

  /**
   * Notes that an upload is whole, so that work on it begins.
   *
   * @return false if the user has the same content already, or the upload took too long
   */
  public boolean stored(UUID id, String purpose, long bytes, String sha256) {
    try {
      return dml(
              "store_document",
              """
              UPDATE documents SET purpose = ?, bytes = ?, sha256 = ?, stage = 'extract', due_at = now(), queued_at = now()
              WHERE id = CAST(? AS uuid) AND stage = 'store' AND lease IS NULL""",
              purpose,
              bytes,
              sha256,
              id)
          > 0;
    } catch (DbClientException e) {
      if (sqlState(e).equals(UNIQUE_VIOLATION)) {
        return false;
      }
      throw e;
    }
  }

  public Optional<Document> find(String user, UUID id) {
    return get(
        "find_document",
        "SELECT %s FROM documents WHERE user_id = ? AND id = CAST(? AS uuid) AND stage NOT IN ('store', 'delete')",
        user,
        id);
  }

  /** Those of these documents that the user has. */
  public Map<UUID, Document> find(String user, List<UUID> ids) {
    String sql =
        "SELECT %s FROM documents WHERE user_id = ? AND id = ANY (CAST(? AS uuid[])) AND stage NOT IN ('store', 'delete')"
            .formatted(COLUMNS);
    return database.execute(
        db ->
            db.createNamedQuery("find_documents", sql)
                .addParam(user)
                .addParam(uuids(ids))
                .execute()
                .map(DocumentStore::document)
                .collect(Collectors.toMap(Document::id, Function.identity())));
  }

  /** An array of PostgreSQL. */
  public static String uuids(List<UUID> ids) {
    return ids.stream().map(UUID::toString).collect(Collectors.joining(",", "{", "}"));
  }

  Optional<Document> findContent(String user, String sha256) {
    return get(
        "find_document_by_content",
        "SELECT %s FROM documents WHERE user_id = ? AND sha256 = ? AND stage <> 'delete'",
        user,
        sha256);
  }

  /**
   * A page of a user's files, by the time of upload.
   *
   * @param after the last of the page before; null for the first page
   * @param purpose null for any
   */
  List<Document> list(
      String user, @Nullable UUID after, @Nullable String purpose, boolean newestFirst, int limit) {
    String sql =
        """
        SELECT %s FROM documents
        WHERE user_id = ? AND stage NOT IN ('store', 'delete')
          AND (CAST(? AS uuid) IS NULL OR id %s CAST(? AS uuid)) AND (CAST(? AS text) IS NULL OR purpose = ?)
        ORDER BY id %s LIMIT ?"""
            .formatted(COLUMNS, newestFirst ? "<" : ">", newestFirst ? "DESC" : "ASC");
    return database.execute(
        db ->
            db.createNamedQuery("list_documents", sql)
                .addParam(user)
                .addParam(after)
                .addParam(after)
                .addParam(purpose)
                .addParam(purpose)
                .addParam(limit)
                .execute()
                .map(DocumentStore::document)
                .toList());
  }

  /** What a user has, uploads that are going on among them. */
  Holdings holdings(String user) {
    return database.execute(
        db ->
            db.createNamedGet(
                    "count_documents",
                    """
                    SELECT count(*) AS files, CAST(coalesce(sum(bytes), 0) AS bigint) AS bytes
                    FROM documents WHERE user_id = ? AND stage <> 'delete'""")
                .addParam(user)
                .execute()
                .map(it -> new Holdings(it.column("files").getLong(), it.column("bytes").getLong()))
                .orElseThrow());
  }

  /** How many of a user's documents cannot be asked about yet. */
  public long pending(String user) {
    return number(
        "count_pending_documents",
        "SELECT count(*) AS n FROM documents WHERE user_id = ? AND state = 'pending' AND stage NOT IN ('store', 'delete')",
        user);
  }

  /** Hides a document at once; a worker deletes its bytes. Who works on it has lost it. */
  boolean delete(String user, UUID id) {
    return dml(
            "delete_document",
            """
            UPDATE documents SET stage = 'delete', state = 'pending', due_at = now(), lease = NULL, attempts = 0
            WHERE user_id = ? AND id = CAST(? AS uuid) AND stage <> 'delete'""",
            user,
            id)
        > 0;
  }

  /** Has a document that failed or is done processed from the start again. */
  boolean retry(String user, UUID id) {
    return dml(
            "retry_document",
            """
            UPDATE documents SET stage = 'extract', state = 'pending', due_at = now(), lease = NULL, attempts = 0,
              chunks_done = 0, searchable_at = NULL, embedding_model = NULL, rejected = false, queued_at = now()
            WHERE user_id = ? AND id = CAST(? AS uuid) AND state <> 'pending'""",
            user,
            id)
        > 0;
  }

  /**
   * Takes the document that is due for longest, of a user of whom none is worked on if there is
   * one: who uploads thousands of files does not keep the others waiting.
   */
  public Optional<Leased> claim(Duration lease) {
    UUID token = UUID.randomUUID();
    String sql =
        """
        UPDATE documents SET lease = CAST(? AS uuid), due_at = now() + CAST(? AS interval), attempts = attempts + 1
        WHERE id = coalesce(
          (SELECT id FROM documents WHERE state = 'pending' AND due_at <= now()
             AND user_id NOT IN (
               SELECT user_id FROM documents WHERE lease IS NOT NULL AND due_at > now() AND stage NOT IN ('store', 'delete'))
           ORDER BY due_at LIMIT 1 FOR UPDATE SKIP LOCKED),
          (SELECT id FROM documents WHERE state = 'pending' AND due_at <= now()
           ORDER BY due_at LIMIT 1 FOR UPDATE SKIP LOCKED))
        RETURNING %s"""
            .formatted(COLUMNS);
    return database.poll(
        db ->
            db.createNamedGet("claim_document", sql)
                .addParam(token)
                .addParam(interval(lease))
                .execute()
                .map(it -> new Leased(document(it), token)));
  }

  /** Says that a worker still works; false if the document is not its own any more. */
  boolean renew(Leased leased, Duration lease) {
    return database.poll(
            db ->
                db.createNamedDmlStatement(
                        "renew_document_lease",
                        "UPDATE documents SET due_at = now() + CAST(? AS interval) WHERE id = CAST(? AS uuid) AND lease = CAST(? AS uuid)")
                    .addParam(interval(lease))
                    .addParam(leased.document().id())
                    .addParam(leased.lease())
                    .execute())
        > 0;
  }

  boolean enter(Leased leased, Stage stage) {
    return leased("enter_document_stage", "stage = ?, chunks_done = 0", leased, stage.id());
  }

  boolean ingestion(Leased leased, String trace) {
    return leased("trace_document", "ingestion_trace = ?", leased, trace);
  }

  boolean progress(Leased leased, int chunks, int done) {
    return leased("progress_document", "chunks = ?, chunks_done = ?", leased, chunks, done);
  }

  public boolean embeddedBy(Leased leased, @Nullable String model) {
    return leased("embed_document", "embedding_model = ?", leased, model);
  }

  /** The model that made the vectors that a document has; empty where it has none. */
  Optional<String> embeddingModel(Leased leased) {
    return database.execute(
        db ->
            db.createNamedGet(
                    "find_embedding_model",
                    "SELECT embedding_model FROM documents WHERE id = CAST(? AS uuid)")
                .addParam(leased.document().id())
                .execute()
                .map(it -> text(it, "embedding_model")));
  }

  /** How many passages a document has. */
  int chunks(Leased leased) {
    return (int)
        number(
            "count_document_chunks",
            "SELECT CAST(chunks AS bigint) AS n FROM documents WHERE id = CAST(? AS uuid)",
            leased.document().id().toString());
  }

  /**
   * Shows the document to searches.
   *
   * @return how long it waited for that, by the database's clock; empty if it is not the worker's
   */
  public Optional<Duration> done(Leased leased) {
    return database.execute(
        db ->
            db.createNamedGet(
                    "finish_document",
                    """
                    UPDATE documents
                    SET state = 'done', lease = NULL, error_code = NULL, error_message = NULL, searchable_at = now()
                    WHERE id = CAST(? AS uuid) AND lease = CAST(? AS uuid)
                    RETURNING CAST(extract(epoch FROM now() - queued_at) * 1000 AS bigint) AS millis""")
                .addParam(leased.document().id())
                .addParam(leased.lease())
                .execute()
                .map(it -> Duration.ofMillis(it.column("millis").getLong())));
  }

  /**
   * Gives a document up.
   *
   * @param rejected by the file's own fault; otherwise it is a dead letter
   */
  boolean failed(Leased leased, Failure why, boolean rejected) {
    return leased(
        "fail_document",
        "state = 'failed', lease = NULL, error_code = ?, error_message = ?, rejected = ?",
        leased,
        why.code(),
        why.message(),
        rejected);
  }

  boolean again(Leased leased, Failure why, Duration pause) {
    return leased(
        "postpone_document",
        "lease = NULL, due_at = now() + CAST(? AS interval), error_code = ?, error_message = ?",
        leased,
        interval(pause),
        why.code(),
        why.message());
  }

  /** Leaves a document to the next worker at once; the attempt does not count. */
  boolean release(Leased leased) {
    return leased(
        "release_document", "lease = NULL, due_at = now(), attempts = attempts - 1", leased);
  }

  /** Ends the existence of a document whose bytes are gone. */
  void forget(Leased leased) {
    dml(
        "forget_document",
        "DELETE FROM documents WHERE id = CAST(? AS uuid) AND lease = CAST(? AS uuid)",
        leased.document().id(),
        leased.lease());
  }

  Queue queue() {
    return database.poll(
        db ->
            db.createNamedGet(
                    "document_queue",
                    """
                    SELECT count(*) FILTER (WHERE state = 'pending') AS depth,
                      CAST(coalesce(extract(epoch FROM now() - min(queued_at) FILTER (WHERE state = 'pending')), 0) AS bigint) AS age,
                      count(*) FILTER (WHERE state = 'failed' AND NOT rejected) AS dead
                    FROM documents WHERE state <> 'done' AND stage NOT IN ('store', 'delete')""")
                .execute()
                .map(
                    it ->
                        new Queue(
                            it.column("depth").getLong(),
                            it.column("age").getLong(),
                            it.column("dead").getLong()))
                .orElseThrow());
  }

  /**
   * Refuses a name that PostgreSQL does not know.
   *
   * @throws IllegalArgumentException naming it
   */
  void checkTextSearch(String configuration) {
    boolean known =
        number(
                "find_text_search_configuration",
                "SELECT count(*) AS n FROM pg_ts_config WHERE cfgname = ?",
                configuration)
            > 0;
    if (!known) {
      throw new IllegalArgumentException(
          "documents.text-search: PostgreSQL has no text search configuration \"%s\""
              .formatted(configuration));
    }
  }

  private boolean leased(
      String name, String assignments, Leased leased, @Nullable Object... params) {
    String sql =
        "UPDATE documents SET %s WHERE id = CAST(? AS uuid) AND lease = CAST(? AS uuid)"
            .formatted(assignments);
    @Nullable Object[] all = new @Nullable Object[params.length + 2];
    System.arraycopy(params, 0, all, 0, params.length);
    all[params.length] = leased.document().id();
    all[params.length + 1] = leased.lease();
    return dml(name, sql, all) > 0;
  }

  private long dml(String name, String sql, @Nullable Object... params) {
    return database.execute(
        db -> {
          DbStatementDml statement = db.createNamedDmlStatement(name, sql);
          for (Object param : params) {
            statement.addParam(param);
          }
          return statement.execute();
        });
  }

  private Optional<Document> get(String name, String sql, Object... params) {
    return database.execute(
        db -> {
          var statement = db.createNamedGet(name, sql.replace("%s", COLUMNS));
          for (Object param : params) {
            statement.addParam(param);
          }
          return statement.execute().map(DocumentStore::document);
        });
  }

  private long number(String name, String sql, String param) {
    return database.execute(
        db ->
            db.createNamedGet(name, sql)
                .addParam(param)
                .execute()
                .map(it -> it.column("n").getLong())
                .orElse(0L));
  }

  private static Document document(DbRow row) {
    String code = text(row, "error_code");
    return new Document(
        row.column("id").get(UUID.class),
        row.column("user_id").getString(),
        row.column("filename").getString(),
        row.column("purpose").getString(),
        MediaType.of(row.column("media_type").getString()).orElseThrow(),
        row.column("bytes").getLong(),
        text(row, "sha256"),
        time(row, "created_at").orElseThrow(),
        Stage.of(row.column("stage").getString()),
        State.valueOf(row.column("state").getString().toUpperCase(Locale.ROOT)),
        row.column("attempts").getInt(),
        time(row, "due_at").orElseThrow(),
        code == null ? null : new Failure(code, String.valueOf(text(row, "error_message"))),
        row.column("chunks").getInt(),
        row.column("chunks_done").getInt(),
        time(row, "searchable_at").orElse(null),
        row.column("trace").getString());
  }

  /** Of Helidon's ways to read a column the one that takes null. */
  private static @Nullable String text(DbRow row, String column) {
    return row.column(column).get(String.class);
  }

  private static Optional<Instant> time(DbRow row, String column) {
    return Optional.ofNullable(row.column(column).get(Timestamp.class)).map(Timestamp::toInstant);
  }

  private static String interval(Duration duration) {
    return duration.toMillis() + " milliseconds";
  }

  private static String sqlState(Throwable error) {
    for (Throwable e = error; e != null; e = e.getCause()) {
      if (e instanceof SQLException sql && sql.getSQLState() != null) {
        return sql.getSQLState();
      }
    }
    return "";
  }
}
