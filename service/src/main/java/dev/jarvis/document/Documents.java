package dev.jarvis.document;

import dev.jarvis.http.JsonBody;
import dev.jarvis.http.Routes;
import dev.jarvis.storage.Database;
import dev.jarvis.storage.ObjectStore;
import dev.jarvis.telemetry.Telemetry;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** The parts of this feature, wired. */
public final class Documents implements AutoCloseable {
  /** How long one search may compare vectors where PostgreSQL does not do it. */
  private static final Duration VECTOR_LIMIT = Duration.ofSeconds(5);

  private final Workers workers;
  private final QueueGauges gauges;
  private final FileRoutes files;
  private final SearchRoutes searches;
  private final Grounding grounding;

  /**
   * @param embedder null for full text alone
   * @throws IllegalArgumentException if PostgreSQL does not know the text search configuration
   */
  public Documents(
      DocumentConfig config,
      Database database,
      ObjectStore objects,
      Telemetry telemetry,
      JsonBody bodies,
      @Nullable Embedder embedder) {
    DocumentStore documents = new DocumentStore(database);
    documents.checkTextSearch(config.textSearch());
    DocumentTelemetry told = new DocumentTelemetry(telemetry);
    boolean pgvector = embedder != null && Pgvector.available(database);
    PassageStore passages = new PassageStore(database, pgvector, VECTOR_LIMIT);
    Search search = new Search(config, documents, passages, embedder, told);
    workers =
        new Workers(
            config,
            documents,
            new Processing(config, documents, new ChunkStore(database), objects, embedder, told),
            told);
    gauges = new QueueGauges(documents, telemetry.instruments());
    files =
        new FileRoutes(
            documents, objects, new Upload(config, documents, objects, told), workers::wake);
    searches = new SearchRoutes(bodies, search);
    grounding = new Grounding(search, config.contextTokens());
  }

  /** Begins to work on the queue. */
  public void start() {
    workers.start();
  }

  public void register(Routes routes) {
    files.register(routes);
    searches.register(routes);
  }

  public Grounding grounding() {
    return grounding;
  }

  @Override
  public void close() throws Exception {
    workers.close();
    gauges.close();
  }
}
