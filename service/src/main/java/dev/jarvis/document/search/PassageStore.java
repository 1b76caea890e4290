package dev.jarvis.document.search;

import dev.jarvis.document.DocumentStore;
import dev.jarvis.document.Vectors;
import dev.jarvis.storage.Database;
import io.helidon.dbclient.DbClientException;
import io.helidon.dbclient.DbRow;
import java.nio.ByteBuffer;
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
import org.jspecify.annotations.Nullable;

/**
 * Searches the passages of one user's documents. Vectors are compared one by one, all of them: by
 * PostgreSQL where it has pgvector, otherwise here. Either is exact, and takes a time that grows
 * with the passages that are searched.
 */
public final class PassageStore {
  private static final int PAGE = 1000;
  private static final int MAX_TERMS = 32;

  /** Passages that are compared by which words they have: those of the best rank by all words, … */
  private static final int BEST = 1_000;

  /** … and so many of each word: all of them where the word is rare, whatever else they have. */
  private static final int RARE = 200;

  /** array_send: dimensions, flags, type, length, lower bound. */
  private static final int ARRAY_HEAD_BYTES = 20;

  /** What may be searched: the user's documents that are done, or some of them. */
  private static final String SEARCHED =
      "d.user_id = ? AND d.state = 'done' AND (CAST(? AS uuid[]) IS NULL OR d.id = ANY (CAST(? AS uuid[])))";

  private final Database database;
  private final boolean pgvector;
  private final Duration vectorLimit;

  /**
   * @param pgvector whether PostgreSQL compares vectors, see {@link Pgvector}
   * @param vectorLimit how long vectors may be compared here
   */
  public PassageStore(Database database, boolean pgvector, Duration vectorLimit) {
    this.database = database;
    this.pgvector = pgvector;
    this.vectorLimit = vectorLimit;
  }

  /** Where a passage stands. */
  public record Place(UUID documentId, int ordinal) {}

  private record Near(Place key, double cosine) {}

  /**
   * Passages that have words of the question, those with the rarer words first. Of a long question
   * the last words count.
   *
   * @param documents empty for all
   */
  public List<Place> byWords(
      String user, List<UUID> documents, String textSearch, String question, int limit) {
    return database.execute(
        db ->
            db.createNamedQuery(
                    "search_chunks_by_words",
                    """
                    WITH terms AS (
                      SELECT CAST('''' || replace(replace(lexeme, '\\', '\\\\'), '''', '''''') || '''' AS tsquery) AS term
                      FROM unnest(to_tsvector(CAST(? AS regconfig), ?))
                      ORDER BY positions[array_upper(positions, 1)] DESC LIMIT %2$d
                    ), any_term AS (
                      SELECT CAST(string_agg(CAST(term AS text), ' | ') AS tsquery) AS query FROM terms
                    ), best AS (
                      SELECT c.document_id, c.ordinal, c.words, ts_rank(c.words, query, 1) AS rank
                      FROM any_term, document_chunks c JOIN documents d ON d.id = c.document_id
                      WHERE %1$s AND c.words @@ query
                      ORDER BY rank DESC LIMIT %3$d
                    ), rare AS (
                      SELECT r.document_id, r.ordinal, r.words, ts_rank(r.words, query, 1) AS rank
                      FROM any_term, terms CROSS JOIN LATERAL (
                        SELECT c.document_id, c.ordinal, c.words
                        FROM document_chunks c JOIN documents d ON d.id = c.document_id
                        WHERE %1$s AND c.words @@ term LIMIT %4$d) r
                    ), found AS (
                      SELECT DISTINCT ON (document_id, ordinal) * FROM (TABLE best UNION ALL TABLE rare) AS each
                    ), weights AS (
                      SELECT term, ln(1 + (SELECT count(*) FROM found) / CAST(count(*) AS float8)) AS weight
                      FROM terms JOIN found ON words @@ term GROUP BY term
                    )
                    SELECT document_id, ordinal FROM found JOIN weights ON words @@ term
                    GROUP BY document_id, ordinal, rank
                    ORDER BY sum(weight) DESC, rank DESC, document_id, ordinal LIMIT ?"""
                        .formatted(SEARCHED, MAX_TERMS, BEST, RARE))
                .addParam(textSearch)
                .addParam(question)
                .addParam(user)
                .addParam(array(documents))
                .addParam(array(documents))
                .addParam(user)
                .addParam(array(documents))
                .addParam(array(documents))
                .addParam(limit)
                .execute()
                .map(PassageStore::place)
                .toList());
  }

  private static Place place(DbRow row) {
    return new Place(row.column("document_id").get(UUID.class), row.column("ordinal").getInt());
  }

  /**
   * Passages whose vectors are nearest.
   *
   * @param model that made the question's vector; those of others are passed over
   * @return empty if they are too many to be compared in time
   */
  Optional<List<Place>> byVector(
      String user, List<UUID> documents, String model, float[] question, int limit) {
    float[] unit = Vectors.unit(question);
    return pgvector
        ? byPgvector(user, documents, model, unit, limit)
        : oneByOne(user, documents, model, unit, limit);
  }

  private Optional<List<Place>> byPgvector(
      String user, List<UUID> documents, String model, float[] unit, int limit) {
    try {
      return Optional.of(
          database.execute(
              db ->
                  db.createNamedQuery(
                          "search_chunks_by_vector",
                          """
                          SELECT c.document_id, c.ordinal
                          FROM document_chunks c JOIN documents d ON d.id = c.document_id
                          WHERE %s AND d.embedding_model = ? AND vector_dims(c.embedding_vector) = ?
                          ORDER BY c.embedding_vector <#> (SELECT CAST(CAST(? AS real[]) AS vector)), c.document_id, c.ordinal
                          LIMIT ?"""
                              .formatted(SEARCHED))
                      .addParam(user)
                      .addParam(array(documents))
                      .addParam(array(documents))
                      .addParam(model)
                      .addParam(unit.length)
                      .addParam(Vectors.array(unit))
                      .addParam(limit)
                      .execute()
                      .map(PassageStore::place)
                      .toList()));
    } catch (DbClientException e) {
      if (Database.isAway(e)) { // the statement's own limit, most likely
        return Optional.empty();
      }
      throw e;
    }
  }

  private Optional<List<Place>> oneByOne(
      String user, List<UUID> documents, String model, float[] unit, int limit) {
    long start = System.nanoTime();
    PriorityQueue<Near> nearest = new PriorityQueue<>(Comparator.comparingDouble(Near::cosine));
    Place last = new Place(new UUID(0, 0), -1);
    for (boolean more = true; more; ) {
      if (System.nanoTime() - start > vectorLimit.toNanos()) {
        return Optional.empty();
      }
      List<Near> page = page(user, documents, model, unit, last);
      for (Near near : page) {
        nearest.add(near);
        if (nearest.size() > limit) {
          nearest.poll();
        }
      }
      more = page.size() == PAGE;
      last = page.isEmpty() ? last : page.getLast().key();
    }
    return Optional.of(
        nearest.stream()
            .sorted(Comparator.comparingDouble(Near::cosine).reversed())
            .map(Near::key)
            .toList());
  }

  private List<Near> page(
      String user, List<UUID> documents, String model, float[] unit, Place after) {
    return database.execute(
        db ->
            db.createNamedQuery(
                    "list_chunk_embeddings",
                    """
                    SELECT c.document_id, c.ordinal, array_send(c.embedding) AS embedding
                    FROM document_chunks c JOIN documents d ON d.id = c.document_id
                    WHERE %s AND d.embedding_model = ? AND cardinality(c.embedding) = ?
                      AND (c.document_id, c.ordinal) > (CAST(? AS uuid), ?)
                    ORDER BY c.document_id, c.ordinal LIMIT %d"""
                        .formatted(SEARCHED, PAGE))
                .addParam(user)
                .addParam(array(documents))
                .addParam(array(documents))
                .addParam(model)
                .addParam(unit.length)
                .addParam(after.documentId())
                .addParam(after.ordinal())
                .execute()
                .map(
                    it ->
                        new Near(place(it), cosine(it.column("embedding").get(byte[].class), unit)))
                .toList());
  }

  private static double cosine(byte[] sent, float[] unit) {
    int element = Integer.BYTES + Float.BYTES;
    ByteBuffer bytes = ByteBuffer.wrap(sent);
    double sum = 0;
    for (int i = 0; i < unit.length; i++) {
      sum += unit[i] * bytes.getFloat(ARRAY_HEAD_BYTES + i * element + Integer.BYTES);
    }
    return sum;
  }

  /** The passages at these places, in their order; what was deleted meanwhile is left out. */
  List<Passage> load(String user, Map<Place, Double> scores) {
    String keys =
        scores.keySet().stream()
            .map(it -> "{\"id\":\"%s\",\"ordinal\":%d}".formatted(it.documentId(), it.ordinal()))
            .collect(Collectors.joining(",", "[", "]"));
    Map<Place, Passage> found = new HashMap<>();
    List<Passage> rows =
        database.execute(
            db ->
                db.createNamedQuery(
                        "find_chunks",
                        """
                        SELECT c.document_id, d.filename, c.ordinal, coalesce(c.page, 0) AS page, c.text, c.tokens,
                          coalesce(d.ingestion_trace, '') AS trace
                        FROM jsonb_to_recordset(CAST(? AS jsonb)) AS k(id uuid, ordinal integer)
                        JOIN document_chunks c ON c.document_id = k.id AND c.ordinal = k.ordinal
                        JOIN documents d ON d.id = c.document_id
                        WHERE d.user_id = ? AND d.state = 'done'""")
                    .addParam(keys)
                    .addParam(user)
                    .execute()
                    .map(
                        it ->
                            new Passage(
                                it.column("document_id").get(UUID.class),
                                it.column("filename").getString(),
                                it.column("ordinal").getInt(),
                                it.column("page").getInt(),
                                it.column("text").getString(),
                                it.column("tokens").getInt(),
                                0,
                                it.column("trace").getString()))
                    .toList());
    rows.forEach(it -> found.put(new Place(it.documentId(), it.chunk()), it));
    List<Passage> passages = new ArrayList<>();
    scores.forEach(
        (key, score) -> {
          Passage it = found.get(key);
          if (it != null) {
            passages.add(it.scored(score));
          }
        });
    return passages;
  }

  private static @Nullable String array(List<UUID> documents) {
    return documents.isEmpty() ? null : DocumentStore.uuids(documents);
  }
}
