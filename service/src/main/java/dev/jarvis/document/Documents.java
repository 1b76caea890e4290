package dev.jarvis.document;

import dev.jarvis.http.Routes;
import dev.jarvis.storage.Database;
import dev.jarvis.storage.ObjectStore;
import dev.jarvis.telemetry.Telemetry;
import org.jspecify.annotations.Nullable;

/** The parts of files and their processing, wired. */
public final class Documents implements AutoCloseable {
  private final DocumentStore store;
  private final Workers workers;
  private final QueueGauges gauges;
  private final FileRoutes files;

  /**
   * @param embedder null for full text alone
   * @throws IllegalArgumentException if PostgreSQL does not know the text search configuration
   */
  public Documents(
      DocumentConfig config,
      Database database,
      ObjectStore objects,
      Telemetry telemetry,
      @Nullable Embedder embedder) {
    store = new DocumentStore(database);
    store.checkTextSearch(config.passages().textSearch());
    DocumentTelemetry own = new DocumentTelemetry(telemetry);
    workers =
        new Workers(
            config,
            store,
            new Processing(config, store, new ChunkStore(database), objects, embedder, own),
            own);
    gauges = new QueueGauges(store, telemetry.instruments());
    files = new FileRoutes(store, objects, new Upload(config, store, objects, own), workers::wake);
  }

  /** Begins to work on the queue. */
  public void start() {
    workers.start();
  }

  public void register(Routes routes) {
    files.register(routes);
  }

  public DocumentStore store() {
    return store;
  }

  @Override
  public void close() throws Exception {
    workers.close();
    gauges.close();
  }
}
