package dev.jarvis.document;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jarvis.document.words.Words;
import dev.jarvis.json.Json;
import dev.jarvis.storage.Database;
import dev.jarvis.storage.Sql;
import io.helidon.dbclient.DbRow;
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

  /** Passages whose beginnings show the language of a document. */
  private static final int SAMPLES = 8;

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
            ChunkStore::chunk,
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

  /** Returns beginnings of passages all over the document, to detect its language. */
  String sample(LeasedDocument leased, int passages, int maxChars) {
    int step = Math.max(1, passages / SAMPLES);
    return String.join(
        "\n",
        database.execute(
            Sql.list(
                "sample_document_chunks",
                """
                SELECT left(text, ?) AS text FROM document_chunks
                WHERE document_id = CAST(? AS uuid) AND ordinal %% ? = 0 ORDER BY ordinal LIMIT %d"""
                    .formatted(SAMPLES),
                it -> it.column("text").getString(),
                maxChars / SAMPLES,
                leased.document().id(),
                step)));
  }

  /**
   * Returns passages in their order.
   *
   * @param from the first passage
   * @param to the passage after the last
   */
  List<Chunk> list(LeasedDocument leased, int from, int to) {
    return database.execute(
        Sql.list(
            "list_document_chunks",
            """
            SELECT ordinal, coalesce(page, 0) AS page, heading, text, tokens FROM document_chunks
            WHERE document_id = CAST(? AS uuid) AND ordinal >= ? AND ordinal < ? ORDER BY ordinal""",
            ChunkStore::chunk,
            leased.document().id(),
            from,
            to));
  }

  /**
   * Returns the first passage whose words are not made yet.
   *
   * @param textSearch PostgreSQL's configuration of the document
   * @return the number of passages if none is left
   */
  int firstWithoutWords(LeasedDocument leased, String textSearch, int passages) {
    return database
        .execute(
            Sql.get(
                "find_chunk_without_words",
                """
                SELECT coalesce(min(ordinal), ?) AS first FROM document_chunks
                WHERE document_id = CAST(? AS uuid) AND text_search IS DISTINCT FROM ?""",
                it -> it.column("first").getInt(),
                passages,
                leased.document().id(),
                textSearch))
        .orElse(passages);
  }

  private static Chunk chunk(DbRow row) {
    return new Chunk(
        row.column("ordinal").getInt(),
        row.column("page").getInt(),
        row.column("heading").getString(),
        row.column("text").getString(),
        row.column("tokens").getInt());
  }

  /**
   * Stores the words of passages for the full-text search.
   *
   * @param textSearch PostgreSQL's configuration, which stems them
   */
  void index(LeasedDocument leased, String textSearch, List<Chunk> chunks) {
    ArrayNode rows = Json.object().putArray("rows");
    for (Chunk chunk : chunks) {
      rows.addObject()
          .put("ordinal", chunk.ordinal())
          .put("words", Words.ofPassage(chunk.inContext()));
    }
    UUID id = leased.document().id();
    database.execute(
        Sql.update(
            "index_document_chunks",
            """
            UPDATE document_chunks c
            SET words = to_tsvector(CAST(? AS regconfig), r.words), text_search = ?, user_id = ?
            FROM jsonb_to_recordset(CAST(? AS jsonb)) AS r(ordinal integer, words text)
            WHERE c.document_id = CAST(? AS uuid) AND c.ordinal = r.ordinal AND %s"""
                .formatted(HAS_LEASE),
            textSearch,
            textSearch,
            leased.document().userId(),
            text(rows),
            id,
            id,
            leased.lease()));
  }

  private static String text(ArrayNode rows) {
    return new String(Json.bytes(rows), StandardCharsets.UTF_8);
  }
}
