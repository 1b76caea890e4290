package dev.jarvis.document;

import dev.jarvis.TestFolders;
import dev.jarvis.config.Configs;
import dev.jarvis.document.FileStore.Content;
import dev.jarvis.document.extract.MediaType;
import dev.jarvis.id.UuidV7;
import dev.jarvis.storage.Database;
import dev.jarvis.storage.DatabaseConfig;
import dev.jarvis.storage.ObjectStore;
import dev.jarvis.storage.ObjectStoreConfig;
import dev.jarvis.storage.Recorded;
import dev.jarvis.storage.Sql;
import dev.jarvis.storage.embedded.Stores;
import dev.jarvis.storage.embedded.TestDatabase;
import dev.jarvis.telemetry.Telemetry;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** The parts of a service that store and process documents, with one worker. */
public final class TestDocuments implements AutoCloseable {
  private static final Duration LIMIT = Duration.ofSeconds(30);
  private static final Duration LEASE = Duration.ofMinutes(5);
  private static final Duration RENEWAL_PERIOD = Duration.ofMillis(100);
  private static final DatabaseConfig EMBEDDED =
      Configs.of(DatabaseConfig.class, Map.of("query-timeout", LIMIT.toString()));
  private static final ObjectStoreConfig OBJECTS =
      Configs.of(ObjectStoreConfig.class, Map.of("bucket", "documents"));

  private static final Map<String, String> SETTINGS =
      Map.of(
          "workers", "1",
          "max-attempts", "3",
          "first-retry", "1s",
          "longest-retry", "1s",
          "extract-memory-mib", "96",
          "chunk-tokens", "100",
          "embedding-model", "letters");

  private final Path home;
  private final @Nullable TestDatabase shared;
  private final Telemetry telemetry;
  private final Database database;
  private final ObjectStore objects;
  private final FileStore files;
  private final IngestQueue queue;

  /** Uses an embedded PostgreSQL, whose data remains in its home. */
  public TestDocuments(Path home) throws Exception {
    this(EMBEDDED, home, null);
  }

  private TestDocuments(DatabaseConfig config, Path home, @Nullable TestDatabase shared)
      throws IOException {
    this.home = home;
    this.shared = shared;
    telemetry = Recorded.start();
    database = Stores.database(config, home, telemetry);
    objects = Stores.objects(OBJECTS, home, telemetry);
    files = new FileStore(database);
    queue = new IngestQueue(database);
  }

  /**
   * Uses a new database of the shared PostgreSQL, and a new folder; closing deletes both. For a
   * static field with {@code @AutoClose}.
   */
  public static TestDocuments onSharedServer() {
    try {
      TestDatabase database = TestDatabase.create();
      return new TestDocuments(database.config(4, LIMIT), TestFolders.create(), database);
    } catch (IOException | SQLException e) {
      throw new AssertionError("the documents of a test class cannot be opened", e);
    }
  }

  UUID upload(String text) throws IOException {
    return upload(text, "");
  }

  /**
   * Queues a text of the user alice.
   *
   * @param trace {@code traceparent} of the upload
   */
  UUID upload(String text, String trace) throws IOException {
    UUID id = UuidV7.next();
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    files.begin(id, "alice", "a.txt", MediaType.TEXT, LIMIT, trace);
    objects.put(Document.objectKey(id), new ByteArrayInputStream(bytes));
    files.complete("alice", id, "assistants", new Content(bytes.length, id.toString()));
    return id;
  }

  /** The folder with the object store. */
  Path home() {
    return home;
  }

  /** Computes each vector from the first and the last letter of its text. */
  static Embedder.Vectors byLetters(
      List<String> texts,
      Embedder.Payer payer,
      String request,
      @Nullable String model,
      @Nullable Duration limit) {
    return new Embedder.Vectors("letters", texts.stream().map(TestDocuments::vector).toList());
  }

  private static float[] vector(String text) {
    return new float[] {text.charAt(0), text.charAt(text.length() - 1)};
  }

  Workers work(Embedder embedder) {
    return work(embedder, LEASE);
  }

  Workers work(Embedder embedder, Duration lease) {
    return work(embedder, Map.of("lease", lease.toString()));
  }

  /**
   * Starts a worker.
   *
   * @param settings of {@code documents}, instead of those for tests
   */
  Workers work(Embedder embedder, Map<String, String> settings) {
    Map<String, String> all = new HashMap<>(SETTINGS);
    all.putAll(settings);
    DocumentConfig config = Configs.of(DocumentConfig.class, all);
    DocumentTelemetry own = new DocumentTelemetry(telemetry);
    Workers workers =
        new Workers(
            config,
            queue,
            new IngestStages(
                config,
                TextSearch.of(database, null),
                queue,
                new ChunkStore(database),
                objects,
                embedder,
                own),
            own,
            RENEWAL_PERIOD);
    workers.start();
    return workers;
  }

  QueueGauges gauges() {
    return new QueueGauges(queue, telemetry.instruments());
  }

  public Database database() {
    return database;
  }

  public Telemetry telemetry() {
    return telemetry;
  }

  ObjectStore objects() {
    return objects;
  }

  public FileStore files() {
    return files;
  }

  IngestQueue queue() {
    return queue;
  }

  /** A connection of its own to the shared PostgreSQL. */
  Connection connect() throws SQLException {
    return Objects.requireNonNull(shared).connect();
  }

  public void sql(String statement) {
    database.execute(Sql.update("test", statement));
  }

  public long number(String query) {
    return database.execute(Sql.get("test", query, it -> it.column("n").getLong())).orElseThrow();
  }

  @Override
  public void close() throws Exception {
    objects.close();
    database.close();
    telemetry.close();
    if (shared != null) {
      shared.close();
      TestFolders.delete(home);
    }
  }
}
