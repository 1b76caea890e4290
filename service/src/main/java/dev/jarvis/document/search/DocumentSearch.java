package dev.jarvis.document.search;

import dev.jarvis.document.DocumentConfig;
import dev.jarvis.document.Embedder;
import dev.jarvis.document.FileStore;
import dev.jarvis.http.Routes;
import dev.jarvis.storage.Database;
import dev.jarvis.telemetry.Telemetry;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** Wires the parts of search and grounding. */
public final class DocumentSearch {
  /** How long one search may compare vectors if PostgreSQL cannot. */
  private static final Duration VECTOR_LIMIT = Duration.ofSeconds(5);

  private final SearchRoutes routes;
  private final Grounding grounding;

  /**
   * @param embedder null to search by words only
   */
  public DocumentSearch(
      DocumentConfig config,
      Database database,
      FileStore files,
      Telemetry telemetry,
      @Nullable Embedder embedder) {
    boolean pgvector = embedder != null && Pgvector.available(database);
    WordIndex.prepare(database);
    WordSearch words = new WordSearch(database, config.passages().textSearch());
    PassageStore passages = new PassageStore(database, pgvector, VECTOR_LIMIT);
    HybridSearch search =
        new HybridSearch(config, files, words, passages, embedder, new SearchTelemetry(telemetry));
    routes = new SearchRoutes(search);
    grounding = new Grounding(search, config.passages().contextTokens());
  }

  public void register(Routes to) {
    routes.register(to);
  }

  public Grounding grounding() {
    return grounding;
  }
}
