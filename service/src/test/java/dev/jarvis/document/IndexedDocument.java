package dev.jarvis.document;

import static org.assertj.core.api.Assertions.assertThat;

import dev.jarvis.document.DocumentStore.Leased;
import dev.jarvis.document.extract.MediaType;
import dev.jarvis.id.UuidV7;
import dev.jarvis.storage.Database;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** Adds documents to the index as a worker leaves them, without a file. */
public final class IndexedDocument {
  private static final Duration LEASE = Duration.ofMinutes(1);

  private IndexedDocument() {}

  /**
   * Adds one.
   *
   * @param vectors one for each passage, made by the model; empty for none
   */
  public static UUID add(
      Database database,
      String user,
      List<String> passages,
      @Nullable String model,
      List<float[]> vectors) {
    DocumentStore documents = new DocumentStore(database);
    ChunkStore store = new ChunkStore(database);
    UUID id = UuidV7.next();
    documents.begin(id, user, "a.txt", MediaType.TEXT, LEASE, "");
    documents.stored(id, "assistants", 1, id.toString());
    Leased leased = documents.claim(LEASE).orElseThrow();
    List<Chunk> chunks = new ArrayList<>();
    for (String text : passages) {
      chunks.add(new Chunk(chunks.size(), 0, text, Chunk.tokens(text)));
    }
    store.add(leased, chunks);
    if (model != null) {
      documents.embeddedBy(leased, model);
      store.embed(leased, chunks, vectors);
    }
    store.index(leased, "english", 0, chunks.size());
    assertThat(documents.done(leased)).isPresent();
    return id;
  }
}
