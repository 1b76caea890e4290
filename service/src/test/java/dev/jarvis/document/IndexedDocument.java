package dev.jarvis.document;

import static org.assertj.core.api.Assertions.assertThat;

import dev.jarvis.document.FileStore.Content;
import dev.jarvis.document.extract.MediaType;
import dev.jarvis.id.UuidV7;
import dev.jarvis.storage.Database;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** Stores searchable documents without a file and a worker. */
public final class IndexedDocument {
  private static final Duration LEASE = Duration.ofMinutes(1);

  private IndexedDocument() {}

  /** Stores a document without vectors, in PostgreSQL's configuration of its language. */
  public static UUID add(Database database, String user, String textSearch, List<String> passages) {
    return add(database, user, textSearch, passages, null, List.of());
  }

  /**
   * Stores an English document.
   *
   * @param model the model of the vectors; null for none
   * @param vectors one for each passage; empty without a model
   */
  public static UUID add(
      Database database,
      String user,
      List<String> passages,
      @Nullable String model,
      List<float[]> vectors) {
    return add(database, user, "english", passages, model, vectors);
  }

  private static UUID add(
      Database database,
      String user,
      String textSearch,
      List<String> passages,
      @Nullable String model,
      List<float[]> vectors) {
    FileStore files = new FileStore(database);
    IngestQueue queue = new IngestQueue(database);
    ChunkStore store = new ChunkStore(database);
    UUID id = UuidV7.next();
    files.begin(id, user, "a.txt", MediaType.TEXT, LEASE, "");
    files.complete(user, id, "assistants", new Content(1, id.toString()));
    LeasedDocument leased = queue.claim(LEASE).orElseThrow();
    List<Chunk> chunks = new ArrayList<>();
    for (String text : passages) {
      chunks.add(new Chunk(chunks.size(), 0, "", text, Chunk.tokens(text)));
    }
    store.add(leased, chunks);
    if (model != null) {
      queue.embeddedBy(leased, model);
      store.embed(leased, chunks, vectors);
    }
    queue.language(leased, null, textSearch);
    store.index(leased, textSearch, chunks);
    assertThat(queue.done(leased, IngestStages.INDEX_VERSION)).isPresent();
    return id;
  }
}
