package dev.jarvis.document;

import dev.jarvis.document.Document.Chunks;
import dev.jarvis.document.extract.Extraction;
import dev.jarvis.document.extract.ExtractionException;
import dev.jarvis.document.extract.Extractor;
import dev.jarvis.document.extract.ReaderUnavailableException;
import dev.jarvis.document.extract.Section;
import dev.jarvis.document.extract.WorkFolder;
import dev.jarvis.storage.ObjectStore;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The stages from a stored file to searchable passages: extract, chunk, embed, index. The result of
 * a stage is stored, so that the next attempt continues at the stage where the last one failed, and
 * at the first passage without a vector.
 */
final class IngestStages {
  private static final int WRITE_BATCH = 200;
  private static final int EMBED_BATCH = 16;

  /** Longer than any extraction may take. */
  private static final Duration STALE_FOLDER_AGE = Duration.ofHours(6);

  private final DocumentConfig config;
  private final IngestQueue queue;
  private final ChunkStore chunks;
  private final ObjectStore objects;
  private final @Nullable Embedder embedder;
  private final Extractor extractor;
  private final Chunker chunker;
  private final DocumentTelemetry telemetry;

  /** The document was deleted, or another worker claimed it. */
  static final class LeaseLost extends Exception {
    private static final long serialVersionUID = 1L;
  }

  /** The embedding model changed midway, so the document's vectors were deleted. */
  static final class ModelChanged extends Exception {
    private static final long serialVersionUID = 1L;
  }

  IngestStages(
      DocumentConfig config,
      IngestQueue queue,
      ChunkStore chunks,
      ObjectStore objects,
      @Nullable Embedder embedder,
      DocumentTelemetry telemetry) {
    this.config = config;
    this.queue = queue;
    this.chunks = chunks;
    this.objects = objects;
    this.embedder = embedder;
    this.extractor = new Extractor(config.extract());
    this.chunker =
        new Chunker(config.passages().chunkTokens(), embedder == null ? null : embedder.window());
    this.telemetry = telemetry;
    WorkFolder.deleteOlderThan(STALE_FOLDER_AGE);
  }

  /**
   * Runs a document's stages from its current one on, and makes it searchable.
   *
   * @param entered called with each stage when it begins
   * @return the time since the document was queued
   * @throws LeaseLost if the lease is lost
   * @throws Exception if a stage fails
   */
  Duration run(LeasedDocument leased, Consumer<Stage> entered) throws Exception {
    Stage first = leased.document().stage();
    if (first == Stage.EXTRACT || first == Stage.CHUNK) { // the text between the two is not stored
      enter(leased, Stage.EXTRACT, entered);
      Extraction text = telemetry.stage(Stage.EXTRACT, () -> extract(leased.document()));
      requireLease(queue.encoding(leased, text.encoding()));
      enter(leased, Stage.CHUNK, entered);
      telemetry.stage(Stage.CHUNK, () -> chunk(leased, text.sections()));
    }
    if (first != Stage.INDEX) {
      enter(leased, Stage.EMBED, entered);
      telemetry.stage(Stage.EMBED, () -> embed(leased));
    }
    enter(leased, Stage.INDEX, entered);
    return telemetry.stage(Stage.INDEX, () -> index(leased));
  }

  private void enter(LeasedDocument leased, Stage stage, Consumer<Stage> entered) throws LeaseLost {
    entered.accept(stage);
    requireLease(queue.enter(leased, stage));
  }

  /** Deletes a file that its user deleted, or whose upload was never completed. */
  void purge(LeasedDocument leased) throws IOException {
    objects.delete(leased.document().objectKey());
    queue.remove(leased);
  }

  private Extraction extract(Document document)
      throws IOException, ExtractionException, ReaderUnavailableException, InterruptedException {
    try (WorkFolder folder = WorkFolder.create(document.file().bytes())) {
      Path file = folder.path().resolve("file");
      try (InputStream in = objects.get(document.objectKey())) {
        Files.copy(in, file);
      } catch (IOException e) {
        if (WorkFolder.isFull(e)) {
          throw ReaderUnavailableException.diskFull();
        }
        throw e;
      }
      return extractor.extract(file, document.file().mediaType(), folder.path());
    }
  }

  private void chunk(LeasedDocument leased, List<Section> text) throws LeaseLost {
    List<Chunk> all = chunker.chunks(text);
    chunks.deleteAll(leased);
    for (int i = 0; i < all.size(); i += WRITE_BATCH) {
      int end = Math.min(all.size(), i + WRITE_BATCH);
      chunks.add(leased, all.subList(i, end));
      requireLease(queue.progress(leased, new Chunks(all.size(), end)));
    }
  }

  private void embed(LeasedDocument leased) throws LeaseLost, ModelChanged {
    if (embedder == null) {
      requireLease(queue.embeddedBy(leased, null));
      return;
    }
    Document document = leased.document();
    int total = queue.chunkCount(leased);
    String model = queue.embeddingModel(leased).orElse(null);
    List<Chunk> batch = chunks.withoutEmbedding(leased, EMBED_BATCH);
    while (!batch.isEmpty()) {
      Embedder.Vectors vectors =
          embedder.embed(
              batch.stream().map(Chunk::inContext).toList(),
              document.userId(),
              document.fileId(),
              null);
      if (model != null && !model.equals(vectors.model())) {
        chunks.clearEmbeddings(leased);
        requireLease(queue.embeddedBy(leased, null));
        throw new ModelChanged();
      }
      if (model == null) {
        model = vectors.model();
        requireLease(queue.embeddedBy(leased, model));
      }
      chunks.embed(leased, batch, vectors.vectors());
      requireLease(queue.progress(leased, new Chunks(total, batch.getLast().ordinal() + 1)));
      batch = chunks.withoutEmbedding(leased, EMBED_BATCH);
    }
  }

  private Duration index(LeasedDocument leased) throws LeaseLost {
    int total = queue.chunkCount(leased);
    for (int i = 0; i < total; i += WRITE_BATCH) {
      int end = Math.min(total, i + WRITE_BATCH);
      chunks.index(leased, config.passages().textSearch(), i, end);
      requireLease(queue.progress(leased, new Chunks(total, end)));
    }
    return queue.done(leased).orElseThrow(LeaseLost::new);
  }

  private static void requireLease(boolean held) throws LeaseLost {
    if (!held) {
      throw new LeaseLost();
    }
  }
}
