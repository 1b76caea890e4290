package dev.jarvis.document.search;

import dev.jarvis.document.DocumentConfig;
import dev.jarvis.document.DocumentStore;
import dev.jarvis.document.Embedder;
import dev.jarvis.http.JsonBody;
import dev.jarvis.http.Routes;
import dev.jarvis.storage.Database;
import dev.jarvis.telemetry.Telemetry;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** The parts of search and grounding, wired. */
public final class DocumentSearch {
  /** How long one search may compare vectors where PostgreSQL does not do it. */
  private static final Duration VECTOR_LIMIT = Duration.ofSeconds(5);

  private final SearchRoutes routes;
  private final Grounding grounding;

  /**
   * @param embedder null for full text alone
   */
  public DocumentSearch(
      DocumentConfig config,
      Database database,
      DocumentStore documents,
      Telemetry telemetry,
      JsonBody bodies,
      @Nullable Embedder embedder) {
    boolean pgvector = embedder != null && Pgvector.available(database);
    PassageStore passages = new PassageStore(database, pgvector, VECTOR_LIMIT);
    Search search =
        new Search(config, documents, passages, embedder, new SearchTelemetry(telemetry));
    routes = new SearchRoutes(bodies, search);
    grounding = new Grounding(search, config.passages().contextTokens());
  }

  public void register(Routes to) {
    routes.register(to);
  }

  public Grounding grounding() {
    return grounding;
  }
}
