package dev.jarvis.document.search;

import dev.jarvis.storage.Database;
import io.helidon.dbclient.DbClientException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The extension <a href="https://github.com/pgvector/pgvector">pgvector</a>, where the server has
 * it: a column of its type holds each passage's vector again, and PostgreSQL keeps it so.
 */
public final class Pgvector {
  private static final Logger LOG = LoggerFactory.getLogger(Pgvector.class);
  private static final String EXTENSION = "CREATE EXTENSION IF NOT EXISTS vector";
  private static final String COLUMN =
      "ALTER TABLE document_chunks ADD COLUMN IF NOT EXISTS embedding_vector vector GENERATED ALWAYS AS (CAST(embedding AS vector)) STORED";

  /** The table is locked while it gets the column, so only where that takes a moment. */
  private static final String SMALL =
      "SELECT 1 WHERE pg_total_relation_size('document_chunks') < 64 * 1024 * 1024";

  private Pgvector() {}

  /** Whether PostgreSQL compares vectors; made so where it can be. */
  public static boolean available(Database database) {
    if (hasColumn(database)) {
      return true;
    }
    if (!yes(database, "SELECT 1 FROM pg_available_extensions WHERE name = 'vector'")) {
      return false;
    }
    try {
      if (yes(database, SMALL)) {
        run(database, EXTENSION);
        run(database, COLUMN);
      }
    } catch (DbClientException e) { // not allowed to, or another replica is at it
      LOG.atDebug().setCause(e).log("pgvector cannot be prepared");
    }
    boolean prepared = hasColumn(database);
    if (!prepared) {
      LOG.info(
          "pgvector is installed and JARVIS could not prepare it; have a superuser run: {}; {}; and restart",
          EXTENSION,
          COLUMN);
    }
    return prepared;
  }

  private static void run(Database database, String statement) {
    database.execute(db -> db.createNamedDmlStatement("prepare_pgvector", statement).execute());
  }

  private static boolean hasColumn(Database database) {
    return yes(
        database,
        "SELECT 1 FROM pg_attribute WHERE attrelid = to_regclass('document_chunks') AND attname = 'embedding_vector'");
  }

  private static boolean yes(Database database, String question) {
    return database.execute(
        db -> db.createNamedGet("find_pgvector", question).execute().isPresent());
  }
}
