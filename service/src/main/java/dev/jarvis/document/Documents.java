package dev.jarvis.document;

import dev.jarvis.document.extract.Extractor;
import dev.jarvis.http.Routes;
import dev.jarvis.storage.Database;
import dev.jarvis.storage.ObjectStore;
import dev.jarvis.telemetry.Metric;
import dev.jarvis.telemetry.Telemetry;
import org.jspecify.annotations.Nullable;

/** Wires the parts that store and process files. */
public final class Documents implements AutoCloseable {
  private final FileStore files;
  private final Workers workers;
  private final Upload upload;
  private final QueueGauges gauges;
  private final AutoCloseable sandboxGauge;
  private final @Nullable Thread sandboxCheck;
  private final FileRoutes routes;

  /**
   * @param embedder null to search by words only
   * @throws IllegalArgumentException if PostgreSQL has no such text search configuration
   */
  public Documents(
      DocumentConfig config,
      Database database,
      ObjectStore objects,
      Telemetry telemetry,
      @Nullable Embedder embedder) {
    files = new FileStore(database);
    ChunkStore chunks = new ChunkStore(database);
    TextSearch textSearch = TextSearch.of(database, config.passages().textSearch());
    IngestQueue queue = new IngestQueue(database);
    DocumentTelemetry own = new DocumentTelemetry(telemetry);
    IngestStages stages =
        new IngestStages(config, textSearch, queue, chunks, objects, embedder, own);
    workers = new Workers(config, queue, stages, own);
    Extractor extractor = stages.extractor();
    sandboxGauge =
        telemetry.instruments().gauges(Metric.DOCUMENTS_READER_SANDBOX, extractor::sandboxLayers);
    sandboxCheck =
        config.work().workers() == 0
            ? null
            : Thread.ofVirtual().name("reader-sandbox").unstarted(() -> check(extractor));
    gauges = new QueueGauges(queue, telemetry.instruments());
    upload = new Upload(config, files, objects, own);
    routes = new FileRoutes(files, objects, upload, workers::wake);
  }

  /** Starts the workers, and reports what confines the process that reads files for them. */
  public void start() {
    workers.start();
    if (sandboxCheck != null) {
      sandboxCheck.start();
    }
  }

  private static void check(Extractor extractor) {
    try {
      extractor.checkSandbox();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt(); // by close()
    }
  }

  public void register(Routes to) {
    routes.register(to);
  }

  public FileStore files() {
    return files;
  }

  @Override
  public void close() throws Exception {
    workers.close();
    if (sandboxCheck != null) {
      sandboxCheck.interrupt();
      sandboxCheck.join(); // it ends its process
    }
    upload.close();
    gauges.close();
    sandboxGauge.close();
  }
}
