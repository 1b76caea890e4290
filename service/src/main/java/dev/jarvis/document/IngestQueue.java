package dev.jarvis.document;

import dev.jarvis.document.Document.Chunks;
import dev.jarvis.document.Document.Failure;
import dev.jarvis.document.extract.MediaType;
import dev.jarvis.document.extract.TextEncoding;
import dev.jarvis.storage.Database;
import dev.jarvis.storage.Sql;
import java.time.Duration;
import java.util.Arrays;
import java.util.Optional;
import java.util.UUID;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * The table {@code documents} as a queue: workers claim documents, renew their leases and record
 * what they did. A method that takes a {@link LeasedDocument} changes nothing and returns false or
 * empty if the lease is lost, because the document was deleted or another worker claimed it.
 */
final class IngestQueue {
  /** Getting further than ever before begins the counts anew; takes the mark three times. */
  private static final String REACHED =
      """
      attempts_since_progress = CASE WHEN furthest < ? THEN 1 ELSE attempts_since_progress END,
      deferrals = CASE WHEN furthest < ? THEN 0 ELSE deferrals END,
      furthest = greatest(furthest, ?)""";

  private static final String UNCOUNTED =
      "attempts = attempts - 1, attempts_since_progress = attempts_since_progress - 1";

  /** Files of other types wait for the workers of a newer release; any worker deletes them. */
  private static final String KNOWN =
      Arrays.stream(MediaType.values())
          .map(it -> "'" + it.id() + "'")
          .collect(
              Collectors.joining(", ", "(stage IN ('store', 'delete') OR media_type IN (", "))"));

  /** Counting all of a large table after an upgrade would take long every few seconds. */
  static final int MAX_OUTDATED = 100_000;

  private final Database database;

  IngestQueue(Database database) {
    this.database = database;
  }

  /**
   * Statistics of the queue.
   *
   * @param depth documents that wait or are in process
   * @param deadLetters documents whose processing failed through no fault of the file
   * @param outdated searchable documents with words of older rules, at most {@link #MAX_OUTDATED}
   */
  record Stats(long depth, long oldestAgeSeconds, long deadLetters, long outdated) {}

  /**
   * How often a document was tried in vain.
   *
   * @param attempts since it last got further than ever before, including the one that did
   * @param deferrals by JARVIS's own limits since then
   * @param modelChanges replacements of its embedding model since the upload or the last retry
   */
  record Tries(int attempts, int deferrals, int modelChanges) {}

  /**
   * Claims the document that has been due the longest, of those that this release can read. Users
   * of whom no document is in process come first, so that one user with thousands of files does not
   * keep the others waiting.
   */
  Optional<LeasedDocument> claim(Duration lease) {
    UUID token = UUID.randomUUID();
    String sql =
        """
        UPDATE documents SET lease = CAST(? AS uuid), due_at = now() + CAST(? AS interval),
          attempts = attempts + 1, attempts_since_progress = attempts_since_progress + 1
        WHERE id = coalesce(
          (SELECT id FROM documents WHERE state = 'pending' AND due_at <= now() AND %2$s
             AND user_id NOT IN (
               SELECT user_id FROM documents WHERE lease IS NOT NULL AND due_at > now() AND state = 'pending' AND stage NOT IN ('store', 'delete'))
           ORDER BY due_at LIMIT 1 FOR UPDATE SKIP LOCKED),
          (SELECT id FROM documents WHERE state = 'pending' AND due_at <= now() AND %2$s
           ORDER BY due_at LIMIT 1 FOR UPDATE SKIP LOCKED))
        RETURNING %1$s"""
            .formatted(DocumentRow.COLUMNS, KNOWN);
    return database.poll(
        Sql.get(
            "claim_document",
            sql,
            it -> new LeasedDocument(DocumentRow.read(it), token),
            token,
            interval(lease)));
  }

  /** Extends a lease from now on. */
  boolean renew(LeasedDocument leased, Duration lease) {
    return database.poll(
            Sql.update(
                "renew_document_lease",
                "UPDATE documents SET due_at = now() + CAST(? AS interval) WHERE id = CAST(? AS uuid) AND lease = CAST(? AS uuid)",
                interval(lease),
                leased.document().id(),
                leased.lease()))
        > 0;
  }

  boolean enter(LeasedDocument leased, Stage stage) {
    long mark = stage.reached(0);
    return update(
        leased,
        "enter_document_stage",
        "stage = ?, chunks_done = 0, " + REACHED,
        stage.id(),
        mark,
        mark,
        mark);
  }

  /** Records the {@code traceparent} of an attempt. */
  boolean trace(LeasedDocument leased, String trace) {
    return update(leased, "trace_document", "ingestion_trace = ?", trace);
  }

  /**
   * Records how the file's bytes were read.
   *
   * @param encoding null if its format defines it
   */
  boolean encoding(LeasedDocument leased, @Nullable TextEncoding encoding) {
    return update(
        leased,
        "encode_document",
        "encoding = ?, encoding_certain = CAST(? AS boolean)",
        encoding == null ? null : encoding.charset(),
        encoding == null ? null : encoding.certain());
  }

  boolean progress(LeasedDocument leased, Stage stage, Chunks chunks) {
    long mark = stage.reached(chunks.done());
    return update(
        leased,
        "progress_document",
        "chunks = ?, chunks_done = ?, " + REACHED,
        chunks.total(),
        chunks.done(),
        mark,
        mark,
        mark);
  }

  /** Returns how often the document was tried in vain; empty if the lease is lost. */
  Optional<Tries> tries(LeasedDocument leased) {
    return database.execute(
        Sql.get(
            "count_document_tries",
            """
            SELECT attempts_since_progress, deferrals, model_changes FROM documents
            WHERE id = CAST(? AS uuid) AND lease = CAST(? AS uuid)""",
            it ->
                new Tries(
                    it.column("attempts_since_progress").getInt(),
                    it.column("deferrals").getInt(),
                    it.column("model_changes").getInt()),
            leased.document().id(),
            leased.lease()));
  }

  /** Records another model of the document's vectors: all of its passages are embedded again. */
  boolean changeModel(LeasedDocument leased, String model) {
    return update(
        leased,
        "change_document_model",
        """
        embedding_model = ?, model_changes = model_changes + 1, chunks_done = 0, furthest = ?,
        attempts_since_progress = 1, deferrals = 0""",
        model,
        Stage.EMBED.reached(0));
  }

  /**
   * Records the model of the document's vectors.
   *
   * @param model null if it has none
   */
  boolean embeddedBy(LeasedDocument leased, @Nullable String model) {
    return update(leased, "embed_document", "embedding_model = ?", model);
  }

  /** Returns the model of the document's vectors; empty if it has none. */
  Optional<String> embeddingModel(LeasedDocument leased) {
    return database.execute(
        Sql.get(
            "find_embedding_model",
            "SELECT embedding_model FROM documents WHERE id = CAST(? AS uuid)",
            it -> DocumentRow.text(it.column("embedding_model")),
            leased.document().id()));
  }

  /** Returns how many passages the document has. */
  int chunkCount(LeasedDocument leased) {
    return database
        .execute(
            Sql.get(
                "count_document_chunks",
                "SELECT chunks FROM documents WHERE id = CAST(? AS uuid)",
                it -> it.column("chunks").getInt(),
                leased.document().id()))
        .orElse(0);
  }

  /**
   * Claims a document whose words were made by older rules, and that is searchable by them.
   *
   * @param version of the present rules
   * @param maxAttempts documents that were claimed so often in vain keep their words
   */
  Optional<LeasedDocument> claimOutdated(int version, int maxAttempts, Duration lease) {
    UUID token = UUID.randomUUID();
    String sql =
        """
        UPDATE documents SET lease = CAST(? AS uuid), due_at = now() + CAST(? AS interval), reindex_attempts = reindex_attempts + 1
        WHERE id = (SELECT id FROM documents WHERE state = 'done' AND index_version < %d AND due_at <= now() AND reindex_attempts < %d
                    ORDER BY due_at LIMIT 1 FOR UPDATE SKIP LOCKED)
        RETURNING %s"""
            .formatted(version, maxAttempts, DocumentRow.COLUMNS);
    return database.poll(
        Sql.get(
            "claim_outdated_document",
            sql,
            it -> new LeasedDocument(DocumentRow.read(it), token),
            token,
            interval(lease)));
  }

  /**
   * Records the language of the text and the configuration of its words.
   *
   * @param language ISO 639-1; null if it is uncertain
   */
  boolean language(LeasedDocument leased, @Nullable String language, String textSearch) {
    return update(
        leased, "detect_document_language", "language = ?, text_search = ?", language, textSearch);
  }

  /** Records that a document's words were made again by the present rules. */
  boolean reindexed(LeasedDocument leased, int version) {
    return update(
        leased,
        "reindex_document",
        "lease = NULL, index_version = ?, reindex_attempts = 0",
        version);
  }

  /** Ends an attempt to make a document's words again without counting it. */
  boolean releaseReindex(LeasedDocument leased) {
    return update(
        leased,
        "release_document_reindex",
        "lease = NULL, due_at = now(), reindex_attempts = reindex_attempts - 1");
  }

  /** Ends an attempt to make a document's words again; a later one may succeed. */
  boolean postponeReindex(LeasedDocument leased, Duration pause) {
    return update(
        leased,
        "postpone_document_reindex",
        "lease = NULL, due_at = now() + CAST(? AS interval)",
        interval(pause));
  }

  /**
   * Makes the document searchable.
   *
   * @param version of the rules by which its words were made
   * @return the time since it was queued, by the database's clock
   */
  Optional<Duration> done(LeasedDocument leased, int version) {
    return database.execute(
        Sql.get(
            "finish_document",
            """
            UPDATE documents
            SET state = 'done', lease = NULL, error_code = NULL, error_message = NULL, searchable_at = now(), index_version = ?
            WHERE id = CAST(? AS uuid) AND lease = CAST(? AS uuid)
            RETURNING CAST(extract(epoch FROM now() - queued_at) * 1000 AS bigint) AS millis""",
            it -> Duration.ofMillis(it.column("millis").getLong()),
            version,
            leased.document().id(),
            leased.lease()));
  }

  /**
   * Ends the processing without success.
   *
   * @param rejected whether the file is at fault; otherwise the document counts as a dead letter
   */
  boolean fail(LeasedDocument leased, Failure failure, boolean rejected) {
    return update(
        leased,
        "fail_document",
        "state = 'failed', lease = NULL, error_code = ?, error_message = ?, rejected = ?",
        failure.code(),
        failure.message(),
        rejected);
  }

  /** Makes the document due again after a pause. */
  boolean postpone(LeasedDocument leased, Failure failure, Duration pause) {
    return update(
        leased,
        "postpone_document",
        "lease = NULL, due_at = now() + CAST(? AS interval), error_code = ?, error_message = ?",
        interval(pause),
        failure.code(),
        failure.message());
  }

  /** Makes the document due again after a pause, without counting the attempt. */
  boolean defer(LeasedDocument leased, Failure reason, Duration pause) {
    return update(
        leased,
        "defer_document",
        "lease = NULL, due_at = now() + CAST(? AS interval), error_code = ?, error_message = ?, deferrals = deferrals + 1, "
            + UNCOUNTED,
        interval(pause),
        reason.code(),
        reason.message());
  }

  /** Has the document wait for money: neither an attempt nor a deferral. */
  boolean pause(LeasedDocument leased, Failure reason, Duration pause) {
    return update(
        leased,
        "pause_document",
        "lease = NULL, due_at = now() + CAST(? AS interval), error_code = ?, error_message = ?, "
            + UNCOUNTED,
        interval(pause),
        reason.code(),
        reason.message());
  }

  /** Makes the document due at once, without counting the attempt. */
  boolean release(LeasedDocument leased) {
    return update(leased, "release_document", "lease = NULL, due_at = now(), " + UNCOUNTED);
  }

  /** Deletes the row of a document whose bytes are deleted. */
  boolean remove(LeasedDocument leased) {
    return database.execute(
            Sql.update(
                "forget_document",
                "DELETE FROM documents WHERE id = CAST(? AS uuid) AND lease = CAST(? AS uuid)",
                leased.document().id(),
                leased.lease()))
        > 0;
  }

  /**
   * Reads the statistics.
   *
   * @param version of the present rules of words
   */
  Stats stats(int version) {
    return database
        .poll(
            Sql.get(
                "document_queue",
                """
                SELECT count(*) FILTER (WHERE state = 'pending') AS depth,
                  CAST(coalesce(extract(epoch FROM now() - min(queued_at) FILTER (WHERE state = 'pending')), 0) AS bigint) AS age,
                  count(*) FILTER (WHERE state = 'failed' AND NOT rejected) AS dead,
                  (SELECT count(*) FROM
                    (SELECT 1 FROM documents WHERE state = 'done' AND index_version < %d LIMIT %d) AS o) AS outdated
                FROM documents WHERE state <> 'done' AND stage NOT IN ('store', 'delete')"""
                    .formatted(version, MAX_OUTDATED),
                it ->
                    new Stats(
                        it.column("depth").getLong(),
                        it.column("age").getLong(),
                        it.column("dead").getLong(),
                        it.column("outdated").getLong())))
        .orElseThrow();
  }

  private boolean update(
      LeasedDocument leased, String name, String assignments, @Nullable Object... parameters) {
    String sql =
        "UPDATE documents SET %s WHERE id = CAST(? AS uuid) AND lease = CAST(? AS uuid)"
            .formatted(assignments);
    @Nullable Object[] all = Arrays.copyOf(parameters, parameters.length + 2);
    all[parameters.length] = leased.document().id();
    all[parameters.length + 1] = leased.lease();
    return database.execute(Sql.update(name, sql, all)) > 0;
  }

  /** A parameter for {@code CAST(? AS interval)}. */
  static String interval(Duration duration) {
    return duration.toMillis() + " milliseconds";
  }
}
