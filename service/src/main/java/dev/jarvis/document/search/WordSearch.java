package dev.jarvis.document.search;

import dev.jarvis.document.words.Words;
import dev.jarvis.storage.Database;
import dev.jarvis.storage.Sql;
import java.util.List;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Ranks the passages of one user by the words of a question. The question is stemmed for each
 * document as the document was; a user's documents have few different configurations.
 */
final class WordSearch {
  /** Words of the question for each configuration: the last ones. */
  private static final int MAX_TERMS = 32;

  private static final int MAX_CONFIGURATIONS = 40;

  /** Candidates of the ranking by words that rank best by all words. */
  private static final int BEST = 1_000;

  /**
   * Further candidates for each word, so that a rare word brings all of its passages; fewer if
   * there are several configurations.
   */
  private static final int RARE = 200;

  /**
   * Of documents whose words were made before they had a configuration, unless one was set. Both
   * are asked for, because the setting may have changed since.
   */
  private static final String OLD_DEFAULT = "english";

  /**
   * The passages that match a query of {@code q}. Those whose words are of an older version have no
   * owner, and their words are as PostgreSQL divides the text. OFFSET keeps PostgreSQL, which
   * cannot know how frequent the words are, from reading the index once for each document.
   */
  private static final String MATCHES =
      """
      SELECT c.document_id, c.ordinal, c.words
      FROM (
        SELECT document_id, ordinal, words FROM document_chunks
        WHERE NOT q.old AND user_id = (SELECT id FROM owner) AND text_search = q.name AND words @@ q.%1$s
        OFFSET 0
      ) c JOIN searched d ON d.id = c.document_id
      UNION ALL
      SELECT c.document_id, c.ordinal, c.words
      FROM document_chunks c JOIN searched d ON d.id = c.document_id
      WHERE q.old AND c.user_id IS NULL AND c.words @@ q.%1$s""";

  /**
   * A passage that has words of a question.
   *
   * @param share of the question's words that it has, above 0 and at most 1; rare words, and those
   *     that no passage has, count more
   */
  record Match(PassageId passage, double share) {}

  private final Database database;
  private final String oldConfiguration;

  /**
   * @param configured the configuration of all documents; null for that of each one's language
   */
  WordSearch(Database database, @Nullable String configured) {
    this.database = database;
    this.oldConfiguration = configured == null ? OLD_DEFAULT : configured;
  }

  /**
   * Returns passages that have words of the question, those with the rarer words first. Only the
   * last words of a long question are used.
   */
  List<Match> search(SearchedFiles files, String question, int limit) {
    Words.Question words = Words.ofQuestion(question);
    return database.execute(
        Sql.list(
            "search_chunks_by_words",
            // the weight of a word is the same in all configurations, as its position is
            """
      WITH searched AS NOT MATERIALIZED (
        SELECT d.id, d.text_search, d.index_version FROM documents d WHERE %1$s
      ), owner AS (
        SELECT CAST(? AS text) AS id
      ), configurations AS (
        SELECT CAST(t.oid AS regconfig) AS configuration, t.cfgname AS name, false AS old
        FROM (SELECT DISTINCT text_search FROM searched) s JOIN pg_ts_config t ON t.cfgname = s.text_search
        WHERE pg_ts_config_is_visible(t.oid)
        UNION ALL
        SELECT DISTINCT old.configuration, '', true
        FROM (VALUES (CAST(? AS regconfig)), (CAST('english' AS regconfig))) AS old(configuration) WHERE EXISTS (SELECT 1 FROM searched WHERE index_version < 1)
        LIMIT %3$d
      ), terms AS (
        SELECT configuration, name, old, word.position, word.term
        FROM configurations CROSS JOIN LATERAL (
          SELECT CAST('''' || replace(replace(lexeme, '\\', '\\\\'), '''', '''''') || '''' AS tsquery) AS term,
            positions[array_upper(positions, 1)] * (CASE WHEN old THEN -1 ELSE 1 END) AS position
          FROM unnest(to_tsvector(configuration, CASE WHEN old THEN ? ELSE ? END))
          ORDER BY positions[array_upper(positions, 1)] DESC LIMIT %4$d) word
        UNION ALL
        SELECT configuration, name, old, CAST(100000 + position AS integer), CAST('''' || prefix || ''':*' AS tsquery)
        FROM configurations, unnest(CAST(? AS text[])) WITH ORDINALITY AS p(prefix, position) WHERE NOT old
      ), queries AS (
        SELECT name, old, CAST(string_agg(CAST(term AS text), ' | ') AS tsquery) AS any_term FROM terms GROUP BY name, old
      ), best AS (
        SELECT q.name, q.old, m.*, ts_rank(m.words, q.any_term, 1) AS rank
        FROM queries q CROSS JOIN LATERAL (%7$s) m
        ORDER BY rank DESC LIMIT %5$d
      ), rare AS (
        SELECT q.name, q.old, m.*, ts_rank(m.words, queries.any_term, 1) AS rank
        FROM terms q JOIN queries USING (name, old) CROSS JOIN LATERAL (
          %2$s LIMIT (SELECT 1 + %6$d / count(*) FROM configurations)) m
      ), found AS (
        SELECT DISTINCT ON (document_id, ordinal) * FROM (TABLE best UNION ALL TABLE rare) AS each
      ), matches AS (
        SELECT document_id, ordinal, rank, position
        FROM found JOIN terms USING (name, old) WHERE words @@ term
        GROUP BY document_id, ordinal, rank, position
      ), weights AS MATERIALIZED (
        SELECT position, ln(1 + (SELECT count(*) FROM found) / CAST(greatest(count(document_id), 1) AS float8)) AS weight
        FROM (SELECT DISTINCT position FROM terms) AS each LEFT JOIN matches USING (position) GROUP BY position
      ), question AS (
        SELECT sum(weight) AS weight FROM (SELECT max(weight) AS weight FROM weights GROUP BY abs(position)) AS each
      )
      SELECT document_id, ordinal, sum(weights.weight) / (SELECT weight FROM question) AS share FROM matches JOIN weights USING (position)
      GROUP BY document_id, ordinal, rank
      ORDER BY sum(weights.weight) DESC, rank DESC, document_id, ordinal LIMIT ?"""
                .formatted(
                    files.condition(),
                    MATCHES.formatted("term"),
                    MAX_CONFIGURATIONS,
                    MAX_TERMS,
                    BEST,
                    RARE,
                    MATCHES.formatted("any_term")),
            it -> new Match(PassageStore.id(it), it.column("share").getDouble()),
            files.parametersAnd(
                files.user(),
                oldConfiguration,
                question,
                words.words(),
                array(words.prefixes()),
                limit)));
  }

  /** A parameter for {@code CAST(? AS text[])}; the characters need no escaping. */
  private static String array(List<String> prefixes) {
    return prefixes.stream().collect(Collectors.joining(",", "{", "}"));
  }
}
