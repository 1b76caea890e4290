package dev.jarvis.document.search;

import dev.jarvis.storage.Database;
import dev.jarvis.storage.Sql;
import io.helidon.dbclient.DbClientException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The extension <a href="https://github.com/pgvector/pgvector">pgvector</a>: where the server has
 * it, a generated column holds a copy of each passage's vector as pgvector's type.
 */
final class Pgvector {
  private static final Logger LOG = LoggerFactory.getLogger(Pgvector.class);
  private static final String EXTENSION = "CREATE EXTENSION IF NOT EXISTS vector";
  private static final String COLUMN =
      "ALTER TABLE document_chunks ADD COLUMN IF NOT EXISTS embedding_vector vector GENERATED ALWAYS AS (CAST(embedding AS vector)) STORED";

  /** Adding the column locks the table, so it is added only if that takes a moment. */
  private static final String SMALL =
      "SELECT 1 WHERE pg_total_relation_size('document_chunks') < 64 * 1024 * 1024";

  private Pgvector() {}

  /** Returns whether PostgreSQL can compare vectors; prepares it for that if possible. */
  static boolean available(Database database) {
    if (hasColumn(database)) {
      return true;
    }
    if (!exists(database, "SELECT 1 FROM pg_available_extensions WHERE name = 'vector'")) {
      return false;
    }
    try {
      if (exists(database, SMALL)) {
        run(database, EXTENSION);
        run(database, COLUMN);
      }
    } catch (DbClientException e) { // no privilege, or another replica does the same now
      LOG.atDebug().setCause(e).log("pgvector was not prepared");
    }
    boolean prepared = hasColumn(database);
    if (!prepared) {
      LOG.info(
          "pgvector is installed but JARVIS could not prepare it; have a superuser run: {}; {}; and restart JARVIS",
          EXTENSION,
          COLUMN);
    }
    return prepared;
  }

  private static void run(Database database, String statement) {
    database.execute(Sql.update("prepare_pgvector", statement));
  }

  private static boolean hasColumn(Database database) {
    return exists(
        database,
        "SELECT 1 FROM pg_attribute WHERE attrelid = to_regclass('document_chunks') AND attname = 'embedding_vector'");
  }

  private static boolean exists(Database database, String query) {
    return database.execute(Sql.get("find_pgvector", query, it -> it)).isPresent();
  }
}
