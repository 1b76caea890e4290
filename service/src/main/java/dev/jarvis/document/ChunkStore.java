package dev.jarvis.document;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jarvis.json.Json;
import dev.jarvis.storage.Database;
import dev.jarvis.storage.Sql;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.UUID;

/**
 * The table {@code document_chunks} as workers fill it. Searches see passages when {@link
 * IngestQueue#done} has recorded that the document is complete. Every write requires the lease.
 */
final class ChunkStore {
  private static final String HAS_LEASE =
      "EXISTS (SELECT 1 FROM documents WHERE id = CAST(? AS uuid) AND lease = CAST(? AS uuid))";

  private final Database database;

  ChunkStore(Database database) {
    this.database = database;
  }

  void deleteAll(LeasedDocument leased) {
    UUID id = leased.document().id();
    database.execute(
        Sql.update(
            "delete_document_chunks",
            "DELETE FROM document_chunks WHERE document_id = CAST(? AS uuid) AND " + HAS_LEASE,
            id,
            id,
            leased.lease()));
  }

  void add(LeasedDocument leased, List<Chunk> chunks) {
    ArrayNode rows = Json.object().putArray("rows");
    for (Chunk chunk : chunks) {
      ObjectNode row = rows.addObject();
      row.put("ordinal", chunk.ordinal()).put("tokens", chunk.tokens());
      row.put("heading", chunk.heading()).put("text", chunk.text());
      row.put("page", chunk.page() == 0 ? null : (Integer) chunk.page());
    }
    UUID id = leased.document().id();
    database.execute(
        Sql.update(
            "insert_document_chunks",
            """
            INSERT INTO document_chunks (document_id, ordinal, page, heading, text, tokens)
            SELECT CAST(? AS uuid), ordinal, page, heading, text, tokens
            FROM jsonb_to_recordset(CAST(? AS jsonb))
              AS r(ordinal integer, page integer, heading text, text text, tokens integer)
            WHERE %s
            ON CONFLICT DO NOTHING"""
                .formatted(HAS_LEASE),
            id,
            text(rows),
            id,
            leased.lease()));
  }

  /** Returns passages that have no vector yet, in their order. */
  List<Chunk> withoutEmbedding(LeasedDocument leased, int limit) {
    return database.execute(
        Sql.list(
            "list_chunks_without_embedding",
            """
            SELECT ordinal, coalesce(page, 0) AS page, heading, text, tokens FROM document_chunks
            WHERE document_id = CAST(? AS uuid) AND embedding IS NULL ORDER BY ordinal LIMIT ?""",
            it ->
                new Chunk(
                    it.column("ordinal").getInt(),
                    it.column("page").getInt(),
                    it.column("heading").getString(),
                    it.column("text").getString(),
                    it.column("tokens").getInt()),
            leased.document().id(),
            limit));
  }

  void clearEmbeddings(LeasedDocument leased) {
    UUID id = leased.document().id();
    database.execute(
        Sql.update(
            "clear_chunk_embeddings",
            "UPDATE document_chunks SET embedding = NULL WHERE document_id = CAST(? AS uuid) AND "
                + HAS_LEASE,
            id,
            id,
            leased.lease()));
  }

  /**
   * Stores the vectors of passages.
   *
   * @param vectors one for each passage, in their order
   */
  void embed(LeasedDocument leased, List<Chunk> chunks, List<float[]> vectors) {
    ArrayNode rows = Json.object().putArray("rows");
    for (int i = 0; i < chunks.size(); i++) {
      ObjectNode row = rows.addObject().put("ordinal", chunks.get(i).ordinal());
      ArrayNode numbers = row.putArray("embedding");
      for (float number : Vectors.unit(vectors.get(i))) {
        numbers.add(number);
      }
    }
    UUID id = leased.document().id();
    database.execute(
        Sql.update(
            "update_chunk_embeddings",
            """
            UPDATE document_chunks c SET embedding = r.embedding
            FROM jsonb_to_recordset(CAST(? AS jsonb)) AS r(ordinal integer, embedding real[])
            WHERE c.document_id = CAST(? AS uuid) AND c.ordinal = r.ordinal AND %s"""
                .formatted(HAS_LEASE),
            text(rows),
            id,
            id,
            leased.lease()));
  }

  /**
   * Stores the words of passages for the full-text search.
   *
   * @param from the first passage
   * @param to the passage after the last
   */
  void index(LeasedDocument leased, String textSearch, int from, int to) {
    UUID id = leased.document().id();
    database.execute(
        Sql.update(
            "index_document_chunks",
            """
            UPDATE document_chunks SET words = to_tsvector(CAST(? AS regconfig), heading || E'\\n' || text)
            WHERE document_id = CAST(? AS uuid) AND ordinal >= ? AND ordinal < ? AND %s"""
                .formatted(HAS_LEASE),
            textSearch,
            id,
            from,
            to,
            id,
            leased.lease()));
  }

  /**
   * Checks that PostgreSQL has a text search configuration.
   *
   * @throws IllegalArgumentException if it does not
   */
  void checkTextSearch(String configuration) {
    boolean known =
        database
            .execute(
                Sql.get(
                    "find_text_search_configuration",
                    "SELECT cfgname FROM pg_ts_config WHERE cfgname = ?",
                    it -> it.column("cfgname").getString(),
                    configuration))
            .isPresent();
    if (!known) {
      throw new IllegalArgumentException(
          "documents.text-search: PostgreSQL has no text search configuration \"%s\""
              .formatted(configuration));
    }
  }

  private static String text(ArrayNode rows) {
    return new String(Json.bytes(rows), StandardCharsets.UTF_8);
  }
}
