package dev.jarvis.document;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jarvis.document.DocumentStore.Leased;
import dev.jarvis.json.Json;
import dev.jarvis.storage.Database;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** The table {@code document_chunks}, as workers fill it. Nothing of it is seen before the end. */
public final class ChunkStore {
  /** Only who still has the lease may write. */
  private static final String OWN =
      "EXISTS (SELECT 1 FROM documents WHERE id = CAST(? AS uuid) AND lease = CAST(? AS uuid))";

  private final Database database;

  public ChunkStore(Database database) {
    this.database = database;
  }

  void clear(Leased leased) {
    database.execute(
        db ->
            db.createNamedDmlStatement(
                    "delete_document_chunks",
                    "DELETE FROM document_chunks WHERE document_id = CAST(? AS uuid) AND " + OWN)
                .addParam(leased.document().id())
                .addParam(leased.document().id())
                .addParam(leased.lease())
                .execute());
  }

  public void add(Leased leased, List<Chunk> chunks) {
    ArrayNode rows = Json.object().putArray("rows");
    for (Chunk chunk : chunks) {
      ObjectNode row = rows.addObject();
      row.put("ordinal", chunk.ordinal()).put("text", chunk.text()).put("tokens", chunk.tokens());
      row.put("page", chunk.page() == 0 ? null : (Integer) chunk.page());
    }
    database.execute(
        db ->
            db.createNamedDmlStatement(
                    "insert_document_chunks",
                    """
                    INSERT INTO document_chunks (document_id, ordinal, page, text, tokens)
                    SELECT CAST(? AS uuid), ordinal, page, text, tokens
                    FROM jsonb_to_recordset(CAST(? AS jsonb)) AS r(ordinal integer, page integer, text text, tokens integer)
                    WHERE %s
                    ON CONFLICT DO NOTHING"""
                        .formatted(OWN))
                .addParam(leased.document().id())
                .addParam(text(rows))
                .addParam(leased.document().id())
                .addParam(leased.lease())
                .execute());
  }

  /** Passages that have no vector yet. */
  List<Chunk> withoutEmbedding(Leased leased, int limit) {
    return database.execute(
        db ->
            db.createNamedQuery(
                    "list_chunks_without_embedding",
                    """
                    SELECT ordinal, coalesce(page, 0) AS page, text, tokens FROM document_chunks
                    WHERE document_id = CAST(? AS uuid) AND embedding IS NULL ORDER BY ordinal LIMIT ?""")
                .addParam(leased.document().id())
                .addParam(limit)
                .execute()
                .map(
                    it ->
                        new Chunk(
                            it.column("ordinal").getInt(),
                            it.column("page").getInt(),
                            it.column("text").getString(),
                            it.column("tokens").getInt()))
                .toList());
  }

  /** Forgets vectors: those of another model cannot be compared. */
  void clearEmbeddings(Leased leased) {
    database.execute(
        db ->
            db.createNamedDmlStatement(
                    "clear_chunk_embeddings",
                    "UPDATE document_chunks SET embedding = NULL WHERE document_id = CAST(? AS uuid) AND "
                        + OWN)
                .addParam(leased.document().id())
                .addParam(leased.document().id())
                .addParam(leased.lease())
                .execute());
  }

  public void embed(Leased leased, List<Chunk> chunks, List<float[]> vectors) {
    ArrayNode rows = Json.object().putArray("rows");
    for (int i = 0; i < chunks.size(); i++) {
      ObjectNode row = rows.addObject().put("ordinal", chunks.get(i).ordinal());
      ArrayNode numbers = row.putArray("embedding");
      for (float number : Vectors.unit(vectors.get(i))) {
        numbers.add(number);
      }
    }
    database.execute(
        db ->
            db.createNamedDmlStatement(
                    "update_chunk_embeddings",
                    """
                    UPDATE document_chunks c SET embedding = r.embedding
                    FROM jsonb_to_recordset(CAST(? AS jsonb)) AS r(ordinal integer, embedding real[])
                    WHERE c.document_id = CAST(? AS uuid) AND c.ordinal = r.ordinal AND %s"""
                        .formatted(OWN))
                .addParam(text(rows))
                .addParam(leased.document().id())
                .addParam(leased.document().id())
                .addParam(leased.lease())
                .execute());
  }

  /** Writes the words of some passages. */
  public void index(Leased leased, String textSearch, int from, int to) {
    database.execute(
        db ->
            db.createNamedDmlStatement(
                    "index_document_chunks",
                    """
                    UPDATE document_chunks SET words = to_tsvector(CAST(? AS regconfig), text)
                    WHERE document_id = CAST(? AS uuid) AND ordinal >= ? AND ordinal < ? AND %s"""
                        .formatted(OWN))
                .addParam(textSearch)
                .addParam(leased.document().id())
                .addParam(from)
                .addParam(to)
                .addParam(leased.document().id())
                .addParam(leased.lease())
                .execute());
  }

  private static String text(ArrayNode rows) {
    return new String(Json.bytes(rows), StandardCharsets.UTF_8);
  }
}
