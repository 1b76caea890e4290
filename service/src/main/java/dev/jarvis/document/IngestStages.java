package dev.jarvis.document;

import dev.jarvis.document.Document.Chunks;
import dev.jarvis.document.extract.Extraction;
import dev.jarvis.document.extract.ExtractionException;
import dev.jarvis.document.extract.Extractor;
import dev.jarvis.document.extract.MediaType;
import dev.jarvis.document.extract.ReaderUnavailableException;
import dev.jarvis.document.extract.Section;
import dev.jarvis.document.extract.WorkFolder;
import dev.jarvis.document.words.LanguageDetector;
import dev.jarvis.error.ApiException;
import dev.jarvis.storage.ObjectStore;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.IntPredicate;
import org.jspecify.annotations.Nullable;

/**
 * The stages from a stored file to searchable passages: extract, chunk, embed, index. The result of
 * a stage is stored, so that the next attempt continues at the stage where the last one failed, and
 * at the first passage without a vector.
 */
final class IngestStages {
  private static final int WRITE_BATCH = 200;
  private static final int INDEX_BATCH = 50;

  /**
   * Of the rules by which passages become words. Whoever changes them counts on, and replaces the
   * index documents_outdated, which finds documents before 1 only.
   */
  static final int INDEX_VERSION = 1;

  /** Longer than any extraction may take. */
  private static final Duration STALE_FOLDER_AGE = Duration.ofHours(6);

  private final TextSearch textSearch;
  private final IngestQueue queue;
  private final ChunkStore chunks;
  private final ObjectStore objects;
  private final @Nullable PassageEmbedding embedding;
  private final Extractor extractor;
  private final Chunker chunker;
  private final DocumentTelemetry telemetry;

  /** The document was deleted, or another worker claimed it. */
  static final class LeaseLost extends Exception {
    private static final long serialVersionUID = 1L;
  }

  IngestStages(
      DocumentConfig config,
      TextSearch textSearch,
      IngestQueue queue,
      ChunkStore chunks,
      ObjectStore objects,
      @Nullable Embedder embedder,
      DocumentTelemetry telemetry) {
    this.textSearch = textSearch;
    this.queue = queue;
    this.chunks = chunks;
    this.objects = objects;
    this.embedding =
        embedder == null
            ? null
            : new PassageEmbedding(queue, chunks, embedder, config.work().maxAttempts());
    this.extractor = new Extractor(config.extract());
    this.chunker =
        new Chunker(config.passages().chunkTokens(), embedder == null ? null : embedder.window());
    this.telemetry = telemetry;
    WorkFolder.deleteOlderThan(STALE_FOLDER_AGE);
  }

  /** Reads files; of interest for its sandbox. */
  Extractor extractor() {
    return extractor;
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
    if (first != Stage.EMBED) {
      return run(leased, first, entered);
    }
    try {
      return run(leased, first, entered);
    } catch (ApiException.Refused e) {
      if (!PassageEmbedding.isTooLong(e)) {
        throw e;
      }
      return run(leased, Stage.EXTRACT, entered); // it was divided for another model
    }
  }

  private Duration run(LeasedDocument leased, Stage first, Consumer<Stage> entered)
      throws Exception {
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
      MediaType type = MediaType.of(document.file().mediaType()).orElseThrow(); // see claim
      return extractor.extract(file, type, folder.path());
    }
  }

  private void chunk(LeasedDocument leased, List<Section> text) throws LeaseLost {
    List<Chunk> all = chunker.chunks(text);
    chunks.deleteAll(leased);
    for (int i = 0; i < all.size(); i += WRITE_BATCH) {
      int end = Math.min(all.size(), i + WRITE_BATCH);
      chunks.add(leased, all.subList(i, end));
      requireLease(queue.progress(leased, Stage.CHUNK, new Chunks(all.size(), end)));
    }
  }

  private void embed(LeasedDocument leased) throws LeaseLost {
    if (embedding == null) {
      requireLease(queue.embeddedBy(leased, null));
    } else {
      embedding.run(leased);
    }
  }

  private Duration index(LeasedDocument leased) throws LeaseLost {
    int total = queue.chunkCount(leased);
    String configuration = detectLanguage(leased, total);
    int first = chunks.firstWithoutWords(leased, configuration, total);
    storeWords(
        leased,
        configuration,
        first,
        total,
        done -> queue.progress(leased, Stage.INDEX, new Chunks(total, done)));
    return queue.done(leased, INDEX_VERSION).orElseThrow(LeaseLost::new);
  }

  /**
   * Makes the words of a searchable document again, each passage found before and after. An attempt
   * begins with the first passage: an older release may have written any of its words.
   */
  void reindex(LeasedDocument leased) throws LeaseLost {
    int total = queue.chunkCount(leased);
    storeWords(leased, detectLanguage(leased, total), 0, total, done -> true);
    requireLease(queue.reindexed(leased, INDEX_VERSION));
  }

  /** Returns the configuration of the document's words. */
  private String detectLanguage(LeasedDocument leased, int total) throws LeaseLost {
    Optional<String> language =
        LanguageDetector.detect(chunks.sample(leased, total, LanguageDetector.SAMPLE_CHARS));
    String configuration = textSearch.configuration(language);
    requireLease(queue.language(leased, language.orElse(null), configuration));
    return configuration;
  }

  private void storeWords(
      LeasedDocument leased, String configuration, int first, int total, IntPredicate progress)
      throws LeaseLost {
    for (int i = first; i < total; i += INDEX_BATCH) {
      int end = Math.min(total, i + INDEX_BATCH);
      chunks.index(leased, configuration, chunks.list(leased, i, end));
      requireLease(progress.test(end));
    }
  }

  static void requireLease(boolean held) throws LeaseLost {
    if (!held) {
      throw new LeaseLost();
    }
  }
}
