package dev.jarvis.document;

import dev.jarvis.document.DocumentStore.Leased;
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
 * The stages from a stored file to passages that can be searched. What a stage has done stays done:
 * who takes over goes on at the stage, and among vectors where the last one was written.
 */
final class Processing {
  private static final int WRITE_BATCH = 200;
  private static final int EMBED_BATCH = 16;

  /** Longer than any reading of a file. */
  private static final Duration OLD = Duration.ofHours(6);

  private final DocumentConfig config;
  private final DocumentStore documents;
  private final ChunkStore chunks;
  private final ObjectStore objects;
  private final @Nullable Embedder embedder;
  private final Extractor extractor;
  private final Chunker chunker;
  private final DocumentTelemetry telemetry;

  /** The document is another worker's by now, or deleted. */
  static final class LeaseLost extends Exception {
    private static final long serialVersionUID = 1L;
  }

  /** A document's vectors must be of one model: those that were there are gone. */
  static final class ModelChanged extends Exception {
    private static final long serialVersionUID = 1L;
  }

  Processing(
      DocumentConfig config,
      DocumentStore documents,
      ChunkStore chunks,
      ObjectStore objects,
      @Nullable Embedder embedder,
      DocumentTelemetry telemetry) {
    this.config = config;
    this.documents = documents;
    this.chunks = chunks;
    this.objects = objects;
    this.embedder = embedder;
    this.extractor = new Extractor(config.extract());
    this.chunker = new Chunker(config.passages().chunkTokens());
    this.telemetry = telemetry;
    WorkFolder.deleteOlderThan(OLD);
  }

  /**
   * Does the stages of a document from the one that it is in; its last write shows the document to
   * searches.
   *
   * @param entered is told of each stage as it begins
   * @return how long the document waited to be searchable
   */
  Duration process(Leased leased, Consumer<Stage> entered) throws Exception {
    Stage first = leased.document().stage();
    if (first == Stage.EXTRACT || first == Stage.CHUNK) { // the text is in memory between the two
      enter(leased, Stage.EXTRACT, entered);
      List<Section> text = telemetry.stage(Stage.EXTRACT, () -> extract(leased.document()));
      enter(leased, Stage.CHUNK, entered);
      telemetry.stage(Stage.CHUNK, () -> chunk(leased, text));
    }
    if (first != Stage.INDEX) {
      enter(leased, Stage.EMBED, entered);
      telemetry.stage(Stage.EMBED, () -> embed(leased));
    }
    enter(leased, Stage.INDEX, entered);
    return telemetry.stage(Stage.INDEX, () -> index(leased));
  }

  private void enter(Leased leased, Stage stage, Consumer<Stage> entered) throws LeaseLost {
    entered.accept(stage);
    hold(documents.enter(leased, stage));
  }

  /** Deletes what is stored of a file that was deleted, or whose upload never ended. */
  void purge(Leased leased) throws IOException {
    objects.delete(leased.document().objectKey());
    documents.forget(leased);
  }

  private List<Section> extract(Document document)
      throws IOException, ExtractionException, ReaderUnavailableException, InterruptedException {
    try (WorkFolder folder = WorkFolder.create(document.bytes())) {
      Path file = folder.path().resolve("file");
      try (InputStream in = objects.get(document.objectKey())) {
        Files.copy(in, file);
      } catch (IOException e) {
        if (WorkFolder.isFull(e)) {
          throw ReaderUnavailableException.noRoom();
        }
        throw e;
      }
      return extractor.extract(file, document.mediaType(), folder.path());
    }
  }

  private void chunk(Leased leased, List<Section> text) throws LeaseLost {
    List<Chunk> all = chunker.chunks(text);
    chunks.clear(leased);
    for (int i = 0; i < all.size(); i += WRITE_BATCH) {
      int end = Math.min(all.size(), i + WRITE_BATCH);
      chunks.add(leased, all.subList(i, end));
      hold(documents.progress(leased, all.size(), end));
    }
  }

  private void embed(Leased leased) throws LeaseLost, ModelChanged {
    if (embedder == null) {
      hold(documents.embeddedBy(leased, null));
      return;
    }
    Document document = leased.document();
    int all = documents.chunks(leased);
    String model = documents.embeddingModel(leased).orElse(null);
    List<Chunk> batch = chunks.withoutEmbedding(leased, EMBED_BATCH);
    while (!batch.isEmpty()) {
      Embedder.Vectors vectors =
          embedder.embed(
              batch.stream().map(Chunk::text).toList(), document.userId(), document.fileId(), null);
      if (model != null && !model.equals(vectors.model())) {
        chunks.clearEmbeddings(leased);
        hold(documents.embeddedBy(leased, null));
        throw new ModelChanged();
      }
      if (model == null) {
        model = vectors.model();
        hold(documents.embeddedBy(leased, model));
      }
      chunks.embed(leased, batch, vectors.vectors());
      hold(documents.progress(leased, all, batch.getLast().ordinal() + 1));
      batch = chunks.withoutEmbedding(leased, EMBED_BATCH);
    }
  }

  private Duration index(Leased leased) throws LeaseLost {
    int all = documents.chunks(leased);
    for (int i = 0; i < all; i += WRITE_BATCH) {
      int end = Math.min(all, i + WRITE_BATCH);
      chunks.index(leased, config.passages().textSearch(), i, end);
      hold(documents.progress(leased, all, end));
    }
    return documents.done(leased).orElseThrow(LeaseLost::new);
  }

  private static void hold(boolean held) throws LeaseLost {
    if (!held) {
      throw new LeaseLost();
    }
  }
}
