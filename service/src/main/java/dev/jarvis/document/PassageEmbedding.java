package dev.jarvis.document;

import dev.jarvis.document.Document.Chunks;
import dev.jarvis.document.IngestQueue.Tries;
import dev.jarvis.document.IngestStages.LeaseLost;
import dev.jarvis.error.ApiException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The stage that computes the vectors of a document's passages. All are computed by the model that
 * computed the first ones, because vectors of different models cannot be compared. Another model
 * replaces it only if it is gone: no provider has it, it failed at every attempt, or a passage is
 * longer than it reads.
 */
final class PassageEmbedding {
  private static final int BATCH = 16;

  /** Each embeds the whole document again. */
  private static final int MAX_MODEL_CHANGES = 3;

  /** The code of such a refusal in OpenAI's dialect, which those of all providers become. */
  private static final String CONTEXT_TOO_LONG = "context_length_exceeded";

  private final IngestQueue queue;
  private final ChunkStore chunks;
  private final Embedder embedder;
  private final int maxAttempts;

  PassageEmbedding(IngestQueue queue, ChunkStore chunks, Embedder embedder, int maxAttempts) {
    this.queue = queue;
    this.chunks = chunks;
    this.embedder = embedder;
    this.maxAttempts = maxAttempts;
  }

  /**
   * Computes and stores the vectors of all passages that have none.
   *
   * @throws LeaseLost if the lease is lost
   * @throws ApiException if no model computes them
   */
  void run(LeasedDocument leased) throws LeaseLost {
    int total = queue.chunkCount(leased);
    String model = queue.embeddingModel(leased).orElse(null);
    List<Chunk> batch = chunks.withoutEmbedding(leased, BATCH);
    while (!batch.isEmpty()) {
      Embedder.Vectors vectors = embed(leased, batch, model);
      if (model != null && !model.equals(vectors.model())) {
        chunks.clearEmbeddings(leased);
        IngestStages.requireLease(queue.changeModel(leased, vectors.model()));
      } else {
        if (model == null) {
          IngestStages.requireLease(queue.embeddedBy(leased, vectors.model()));
        }
        chunks.embed(leased, batch, vectors.vectors());
        int done = batch.getLast().ordinal() + 1;
        IngestStages.requireLease(queue.progress(leased, Stage.EMBED, new Chunks(total, done)));
      }
      model = vectors.model();
      batch = chunks.withoutEmbedding(leased, BATCH);
    }
  }

  private Embedder.Vectors embed(LeasedDocument leased, List<Chunk> batch, @Nullable String model)
      throws LeaseLost {
    try {
      return vectors(leased, batch, model);
    } catch (ApiException e) {
      if (model == null || !isGone(leased, e)) {
        throw e;
      }
      return vectors(leased, batch, null);
    }
  }

  private Embedder.Vectors vectors(
      LeasedDocument leased, List<Chunk> batch, @Nullable String model) {
    Document document = leased.document();
    List<String> texts = batch.stream().map(Chunk::inContext).toList();
    return embedder.embed(
        texts, Embedder.Payer.owner(document.userId()), document.fileId(), model, null);
  }

  /** Whether a failure of the document's model means that another one may replace it. */
  private boolean isGone(LeasedDocument leased, ApiException e) throws LeaseLost {
    Tries tries = queue.tries(leased).orElseThrow(LeaseLost::new);
    boolean failedAlways = tries.attempts() >= maxAttempts && !e.isOwnLimit();
    return tries.modelChanges() < MAX_MODEL_CHANGES
        && (e instanceof ApiException.NotFound || isTooLong(e) || failedAlways);
  }

  /** Whether a passage is longer than the model reads, which no further attempt changes. */
  static boolean isTooLong(Exception e) {
    return e instanceof ApiException.Refused refused && CONTEXT_TOO_LONG.equals(refused.code());
  }
}
