package dev.jarvis.document;

import dev.jarvis.document.Document.Failure;
import dev.jarvis.document.extract.ReaderUnavailableException;
import dev.jarvis.error.ApiException;
import dev.jarvis.storage.Database;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.ThreadLocalRandom;

/**
 * How often and after which pauses a document is processed again, after failures that are not the
 * file's fault.
 */
final class RetryPolicy {
  private final int maxAttempts;
  private final Duration firstPause;
  private final Duration longestPause;

  RetryPolicy(DocumentConfig config) {
    this.maxAttempts = config.work().maxAttempts();
    this.firstPause = config.work().firstRetry();
    this.longestPause = config.work().longestRetry();
  }

  int maxAttempts() {
    return maxAttempts;
  }

  /**
   * Returns the pause after an attempt: it doubles with each, up to the longest. Up to a tenth is
   * added at random, so that documents that failed together are not all retried together.
   *
   * @param attempts so far, at least 1
   */
  Duration pause(int attempts) {
    Duration doubled = firstPause.multipliedBy(1L << Math.min(attempts - 1, 20));
    Duration pause = doubled.compareTo(longestPause) > 0 ? longestPause : doubled;
    return pause.plus(
        Duration.ofMillis(ThreadLocalRandom.current().nextLong(pause.toMillis() / 10 + 1)));
  }

  /** Returns what the API reports of a failed attempt. */
  static Failure failure(Exception e) {
    if (Database.isAway(e)) {
      return new Failure("database_unavailable", "The database could not be reached.");
    }
    if (e instanceof IngestStages.ModelChanged) {
      return new Failure(
          "embedding_model_changed",
          "The embedding model changed; all passages will be embedded again.");
    }
    if (e instanceof ApiException) {
      return new Failure("embeddings_unavailable", String.valueOf(e.getMessage()));
    }
    if (e instanceof ReaderUnavailableException) {
      return new Failure("reader_unavailable", String.valueOf(e.getMessage()));
    }
    if (e instanceof IOException) {
      return new Failure("object_store_unavailable", "The stored file could not be read.");
    }
    return new Failure("internal_error", "An internal error occurred; the log has its cause.");
  }
}
