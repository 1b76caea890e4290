package dev.jarvis.document.search;

import dev.jarvis.storage.Database;
import dev.jarvis.storage.Sql;
import io.helidon.dbclient.DbClientException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The index of words. With PostgreSQL's extension <a
 * href="https://www.postgresql.org/docs/current/btree-gin.html">btree_gin</a> it leads with the
 * owner, so that a search costs what the passages of one user cost. Without, the index of all
 * users' words remains, and searches are as exact but slower the more passages there are.
 */
final class WordIndex {
  private static final Logger LOG = LoggerFactory.getLogger(WordIndex.class);
  private static final String EXTENSION = "CREATE EXTENSION IF NOT EXISTS btree_gin";
  private static final String INDEX =
      "INDEX %s document_chunks_user_words ON document_chunks USING gin (user_id, words) WHERE user_id IS NOT NULL";

  /** Creating the index blocks the workers, so it is created only if that takes a moment. */
  private static final String SMALL =
      "SELECT 1 WHERE pg_total_relation_size('document_chunks') < 64 * 1024 * 1024";

  private static final String PREPARED =
      "SELECT 1 FROM pg_index WHERE indexrelid = to_regclass('document_chunks_user_words') AND indisvalid";

  /** Words of older versions are only in the index of all users' words. */
  private static final String NEEDS_OLD_INDEX =
      "SELECT 1 FROM documents WHERE state = 'done' AND index_version < 1 LIMIT 1";

  private static final String HAS_OLD_INDEX =
      "SELECT 1 WHERE to_regclass('document_chunks_words') IS NOT NULL";

  /** CREATE INDEX CONCURRENTLY leaves an invalid index behind if it fails. */
  private static final String DROP_INVALID = "DROP INDEX IF EXISTS document_chunks_user_words";

  private static final String DROP_OLD = "DROP INDEX CONCURRENTLY IF EXISTS document_chunks_words";

  private WordIndex() {}

  /** Creates the index if it is missing and that takes a moment; otherwise logs what to do. */
  static void prepare(Database database) {
    try {
      if (!exists(database, PREPARED) && exists(database, SMALL)) {
        run(database, EXTENSION);
        run(database, "CREATE " + INDEX.formatted("IF NOT EXISTS"));
      }
    } catch (DbClientException e) { // no privilege, or another replica does the same now
      LOG.atDebug().setCause(e).log("the index of words by user was not created");
    }
    if (!exists(database, PREPARED)) {
      LOG.warn(
          "Searches by words slow down with all users' passages, because JARVIS could not create an index."
              + " Install PostgreSQL's contrib modules if btree_gin is missing, have a superuser run: {}; {}; CREATE {}; and restart JARVIS",
          EXTENSION,
          DROP_INVALID,
          INDEX.formatted("CONCURRENTLY"));
    } else if (exists(database, HAS_OLD_INDEX) && !exists(database, NEEDS_OLD_INDEX)) {
      // replicas of an older release may need it, now or after a rollback
      LOG.info(
          "Only releases before 0.13 use the index of all users' words. When none runs any more, it costs space and time only: {}",
          DROP_OLD);
    }
  }

  private static void run(Database database, String statement) {
    database.execute(Sql.update("prepare_word_index", statement));
  }

  private static boolean exists(Database database, String query) {
    return database.execute(Sql.get("find_word_index", query, it -> it)).isPresent();
  }
}
