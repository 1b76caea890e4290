package dev.jarvis.document.search;

import dev.jarvis.document.Chunk;
import dev.jarvis.document.Vectors;
import dev.jarvis.storage.Database;
import dev.jarvis.storage.Sql;
import io.helidon.dbclient.DbClientException;
import io.helidon.dbclient.DbRow;
import java.nio.ByteBuffer;
import java.sql.Timestamp;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.PriorityQueue;
import java.util.UUID;
import java.util.stream.Collectors;

/**
 * Searches the passages of one user's documents. The vector of the question is compared with every
 * passage's: by PostgreSQL if it has pgvector, otherwise by this process. Both are exact, and take
 * time in proportion to the number of passages.
 */
final class PassageStore {
  private static final int PAGE = 1000;

  /** The result of array_send begins with dimensions, flags, type, length and lower bound. */
  private static final int ARRAY_HEADER_BYTES = 20;

  private final Database database;
  private final boolean pgvector;
  private final Duration vectorLimit;

  /**
   * @param pgvector whether PostgreSQL can compare vectors, see {@link Pgvector}
   * @param vectorLimit how long this process may compare vectors
   */
  PassageStore(Database database, boolean pgvector, Duration vectorLimit) {
    this.database = database;
    this.pgvector = pgvector;
    this.vectorLimit = vectorLimit;
  }

  private record Match(PassageId id, double cosine) {}

  static PassageId id(DbRow row) {
    return new PassageId(row.column("document_id").get(UUID.class), row.column("ordinal").getInt());
  }

  /**
   * Returns the passages whose vectors are nearest.
   *
   * @param model the model of the question's vector; passages with vectors of other models are
   *     ignored
   * @return empty if there are too many to be compared in time
   */
  Optional<List<PassageId>> byVector(
      SearchedFiles files, String model, float[] question, int limit) {
    float[] unit = Vectors.unit(question);
    return pgvector ? byPgvector(files, model, unit, limit) : bruteForce(files, model, unit, limit);
  }

  /** Returns the models of the documents' vectors, those of most documents first. */
  List<String> models(SearchedFiles files, int limit) {
    return database.execute(
        Sql.list(
            "list_embedding_models",
            """
            SELECT d.embedding_model FROM documents d WHERE %s AND d.embedding_model IS NOT NULL
            GROUP BY d.embedding_model ORDER BY count(*) DESC, d.embedding_model LIMIT ?"""
                .formatted(files.condition()),
            it -> it.column("embedding_model").getString(),
            files.parametersAnd(limit)));
  }

  private Optional<List<PassageId>> byPgvector(
      SearchedFiles files, String model, float[] unit, int limit) {
    try {
      return Optional.of(
          database.execute(
              Sql.list(
                  "search_chunks_by_vector",
                  """
                          SELECT c.document_id, c.ordinal
                          FROM document_chunks c JOIN documents d ON d.id = c.document_id
                          WHERE %s AND d.embedding_model = ? AND vector_dims(c.embedding_vector) = ?
                          ORDER BY c.embedding_vector <#> (SELECT CAST(CAST(? AS real[]) AS vector)), c.document_id, c.ordinal
                          LIMIT ?"""
                      .formatted(files.condition()),
                  PassageStore::id,
                  files.parametersAnd(model, unit.length, Vectors.array(unit), limit))));
    } catch (DbClientException e) {
      if (Database.isAway(e)) { // most likely the statement timeout
        return Optional.empty();
      }
      throw e;
    }
  }

  private Optional<List<PassageId>> bruteForce(
      SearchedFiles files, String model, float[] unit, int limit) {
    long start = System.nanoTime();
    PriorityQueue<Match> nearest = new PriorityQueue<>(Comparator.comparingDouble(Match::cosine));
    PassageId last = new PassageId(new UUID(0, 0), -1);
    for (boolean more = true; more; ) {
      if (System.nanoTime() - start > vectorLimit.toNanos()) {
        return Optional.empty();
      }
      List<Match> page = page(files, model, unit, last);
      for (Match match : page) {
        nearest.add(match);
        if (nearest.size() > limit) {
          nearest.poll();
        }
      }
      more = page.size() == PAGE;
      last = page.isEmpty() ? last : page.getLast().id();
    }
    return Optional.of(
        nearest.stream()
            .sorted(Comparator.comparingDouble(Match::cosine).reversed())
            .map(Match::id)
            .toList());
  }

  private List<Match> page(SearchedFiles files, String model, float[] unit, PassageId after) {
    return database.execute(
        Sql.list(
            "list_chunk_embeddings",
            """
                    SELECT c.document_id, c.ordinal, array_send(c.embedding) AS embedding
                    FROM document_chunks c JOIN documents d ON d.id = c.document_id
                    WHERE %s AND d.embedding_model = ? AND cardinality(c.embedding) = ?
                      AND (c.document_id, c.ordinal) > (CAST(? AS uuid), ?)
                    ORDER BY c.document_id, c.ordinal LIMIT %d"""
                .formatted(files.condition(), PAGE),
            it -> new Match(id(it), cosine(it.column("embedding").get(byte[].class), unit)),
            files.parametersAnd(model, unit.length, after.documentId(), after.ordinal())));
  }

  private static double cosine(byte[] sent, float[] unit) {
    int element = Integer.BYTES + Float.BYTES;
    ByteBuffer bytes = ByteBuffer.wrap(sent);
    double sum = 0;
    for (int i = 0; i < unit.length; i++) {
      sum += unit[i] * bytes.getFloat(ARRAY_HEADER_BYTES + i * element + Integer.BYTES);
    }
    return sum;
  }

  /** Returns the passages in the order of their scores, without those deleted meanwhile. */
  List<Passage> load(String user, Map<PassageId, Double> scores) {
    String keys =
        scores.keySet().stream()
            .map(it -> "{\"id\":\"%s\",\"ordinal\":%d}".formatted(it.documentId(), it.ordinal()))
            .collect(Collectors.joining(",", "[", "]"));
    Map<PassageId, Passage> found = new HashMap<>();
    database
        .execute(
            Sql.list(
                "find_chunks",
                """
                SELECT c.document_id, d.filename, d.media_type, d.purpose, d.language, d.bytes, d.created_at,
                  c.ordinal, coalesce(c.page, 0) AS page, c.heading, c.text, c.tokens,
                  coalesce(d.ingestion_trace, '') AS trace
                FROM jsonb_to_recordset(CAST(? AS jsonb)) AS k(id uuid, ordinal integer)
                JOIN document_chunks c ON c.document_id = k.id AND c.ordinal = k.ordinal
                JOIN documents d ON d.id = c.document_id
                WHERE d.user_id = ? AND d.state = 'done'""",
                PassageStore::passage,
                keys,
                user))
        .forEach(it -> found.put(new PassageId(it.documentId(), it.chunk().ordinal()), it));
    List<Passage> passages = new ArrayList<>();
    scores.forEach(
        (id, score) -> {
          Passage it = found.get(id);
          if (it != null) {
            passages.add(it.scored(score));
          }
        });
    return passages;
  }

  private static Passage passage(DbRow row) {
    return new Passage(
        row.column("document_id").get(UUID.class),
        new Passage.File(
            row.column("filename").getString(),
            row.column("media_type").getString(),
            row.column("purpose").getString(),
            row.column("language").get(String.class),
            row.column("bytes").getLong(),
            row.column("created_at").get(Timestamp.class).toInstant()),
        new Chunk(
            row.column("ordinal").getInt(),
            row.column("page").getInt(),
            row.column("heading").getString(),
            row.column("text").getString(),
            row.column("tokens").getInt()),
        0,
        row.column("trace").getString());
  }
}
