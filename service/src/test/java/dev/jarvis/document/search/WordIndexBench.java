package dev.jarvis.document.search;

import static org.assertj.core.api.Assertions.assertThat;

import dev.jarvis.storage.Database;
import dev.jarvis.storage.Recorded;
import dev.jarvis.storage.embedded.Stores;
import dev.jarvis.storage.embedded.TestDatabase;
import dev.jarvis.telemetry.Telemetry;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * What a search by words costs if 1,000 users have 1,000 passages each: with the index of all
 * users' words, with the one that leads with the owner, and for the same passages alone. Run by
 * {@code bench/search}, not with the tests.
 */
class WordIndexBench {
  private static final int USERS = 1_000;
  private static final int DOCUMENTS = 50;
  private static final int PASSAGES = 20;
  private static final int BATCH = 500;

  /** Different texts, which the passages of a user do not repeat. */
  private static final int POOL = 20_011;

  private static final Duration LIMIT = Duration.ofMinutes(5);
  private static final Duration ENOUGH = Duration.ofSeconds(10);
  private static final List<String> OWNERS = List.of("user-1", "user-500", "user-999");

  /** Words are numbers in letters; the smaller, the more frequent, as in texts. */
  private static final Map<String, String> QUESTIONS =
      new LinkedHashMap<>(
          Map.of(
              "a word of most passages", "xb",
              "a word of every third", "xba",
              "a rare word", "xbaaa",
              "ten words", "xb xc xd xba xbb xea xhaa xbaaa xcaaaa xz"));

  private static final PrintStream OUT = new PrintStream(System.out, true, StandardCharsets.UTF_8);

  @Test
  void comparesIndexes(@TempDir Path home) throws Exception {
    try (Telemetry telemetry = Recorded.start();
        TestDatabase alone = TestDatabase.create();
        TestDatabase all = TestDatabase.create()) {
      Map<String, Double> owner = new LinkedHashMap<>();
      for (String user : OWNERS) {
        alone.execute("TRUNCATE documents CASCADE");
        int number = Integer.parseInt(user.substring(5));
        load(alone, number, number);
        alone.execute("VACUUM ANALYZE");
        owner.putAll(times(alone, telemetry, home, List.of(user)));
      }
      all.execute("DROP INDEX document_chunks_user_words");
      all.execute("DROP INDEX IF EXISTS document_chunks_words");
      load(all, 0, USERS - 1);
      String memory = "SET maintenance_work_mem = '1GB'; ";
      all.execute(
          memory + "CREATE INDEX document_chunks_words ON document_chunks USING gin (words)");
      all.execute("VACUUM ANALYZE");
      Map<String, Double> before = times(all, telemetry, home, OWNERS);
      all.execute("DROP INDEX document_chunks_words");
      all.execute(
          memory
              + "CREATE INDEX document_chunks_user_words ON document_chunks USING gin (user_id, words) WHERE user_id IS NOT NULL");
      all.execute("VACUUM ANALYZE");
      Map<String, Double> after = times(all, telemetry, home, OWNERS);
      OUT.printf(
          "%d passages of %d users; median ms of a search%n", USERS * DOCUMENTS * PASSAGES, USERS);
      OUT.printf(
          "%-40s %12s %12s %12s %8s %8s%n",
          "", "old index", "by owner", "alone", "old/new", "new/alone");
      before.forEach(
          (name, old) -> {
            double now = after.getOrDefault(name, Double.NaN);
            double single = owner.getOrDefault(name, Double.NaN);
            OUT.printf(
                "%-40s %12.2f %12.2f %12.2f %8.1f %8.1f%n",
                name, old, now, single, old / now, now / single);
          });
    }
  }

  /** Loads the documents of users, whose uploads alternate. */
  private static void load(TestDatabase database, int first, int last) throws SQLException {
    database.execute(
        """
        CREATE TABLE IF NOT EXISTS pool AS SELECT id, to_tsvector('simple', (
          SELECT string_agg('x' || translate(CAST(CAST(floor(exp(random() * ln(50000))) AS integer) AS text),
            '0123456789', 'abcdefghij'), ' ')
          FROM generate_series(1, 40) WHERE id >= 0)) AS words
        FROM generate_series(0, %d) AS id"""
            .formatted(POOL - 1));
    database.execute("CREATE UNIQUE INDEX IF NOT EXISTS pool_id ON pool (id)");
    for (int from = 0; from < DOCUMENTS * USERS; from += BATCH) {
      String batch =
          "generate_series(%d, %d) n WHERE n %% %d BETWEEN %d AND %d"
              .formatted(from, from + BATCH - 1, USERS, first, last);
      database.execute(
          """
          INSERT INTO documents (id, user_id, filename, purpose, media_type, sha256, stage, state, due_at, chunks,
            searchable_at, upload_trace, text_search, index_version)
          SELECT CAST(lpad(to_hex(n), 32, '0') AS uuid), 'user-' || n %% %d, 'a.txt', 'assistants', 'text/plain', n,
            'index', 'done', now(), %d, now(), '', 'simple', 1
          FROM %s"""
              .formatted(USERS, PASSAGES, batch));
      database.execute(
          """
          INSERT INTO document_chunks (document_id, ordinal, text, tokens, words, user_id, text_search)
          SELECT CAST(lpad(to_hex(n), 32, '0') AS uuid), ordinal, repeat('passage ', 40), 80,
            (SELECT words FROM pool WHERE id = (n * 7919 + ordinal * 104729) %% %d),
            'user-' || n %% %d, 'simple'
          FROM generate_series(0, %d) AS ordinal, %s"""
              .formatted(POOL, USERS, PASSAGES - 1, batch));
    }
  }

  /** Returns the median times in milliseconds by owner and question. */
  private static Map<String, Double> times(
      TestDatabase database, Telemetry telemetry, Path home, List<String> owners) throws Exception {
    Map<String, Double> times = new LinkedHashMap<>();
    try (Database pool = Stores.database(database.config(2, LIMIT), home, telemetry)) {
      WordSearch search = new WordSearch(pool, null);
      for (String owner : owners) {
        QUESTIONS.forEach(
            (name, question) -> times.put(owner + ", " + name, median(search, owner, question)));
      }
    }
    return times;
  }

  private static double median(WordSearch search, String owner, String question) {
    List<Long> nanos = new ArrayList<>();
    long first = System.nanoTime();
    while (nanos.size() < 11 && System.nanoTime() - first < ENOUGH.toNanos()) {
      long start = System.nanoTime();
      assertThat(search.search(SearchedFiles.of(owner), question, 100)).isNotEmpty();
      nanos.add(System.nanoTime() - start);
    }
    nanos.sort(null);
    return nanos.get(nanos.size() / 2) / 1e6;
  }
}
