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
 * file's fault. A deferral by a limit of JARVIS itself does not count as an attempt; both counts
 * begin anew when the document gets further than ever before.
 */
final class RetryPolicy {
  /** A longer wish of a server is not honoured: what it waits for may come sooner. */
  private static final Duration LONGEST_RETRY_AFTER = Duration.ofHours(1);

  private final int maxAttempts;
  private final int maxDeferrals;
  private final Duration firstPause;
  private final Duration longestPause;

  RetryPolicy(DocumentConfig config) {
    this.maxAttempts = config.work().maxAttempts();
    this.maxDeferrals = config.work().maxDeferrals();
    this.firstPause = config.work().firstRetry();
    this.longestPause = config.work().longestRetry();
  }

  int maxAttempts() {
    return maxAttempts;
  }

  /** How long a document waits before it looks again whether there is money. */
  Duration longestPause() {
    return longestPause;
  }

  int maxDeferrals() {
    return maxDeferrals;
  }

  /** Whether a failure is a limit of JARVIS itself, so that nothing was tried. */
  static boolean isDeferral(Exception e) {
    return e instanceof ApiException refused && refused.isOwnLimit();
  }

  /**
   * Returns the pause after an attempt or a deferral: it doubles with each, up to the longest, and
   * is at least as long as the failure asks for. Up to a tenth is added at random, so that
   * documents that failed together are not all retried together.
   *
   * @param times attempts or deferrals so far, at least 1
   */
  Duration pause(int times, Exception failure) {
    Duration pause = shorter(firstPause.multipliedBy(1L << Math.min(times - 1, 20)), longestPause);
    Duration wish = shorter(retryAfter(failure), LONGEST_RETRY_AFTER);
    pause = wish.compareTo(pause) > 0 ? wish : pause;
    return pause.plus(
        Duration.ofMillis(ThreadLocalRandom.current().nextLong(pause.toMillis() / 10 + 1)));
  }

  private static Duration retryAfter(Exception failure) {
    return switch (failure) {
      case ApiException.Overloaded it -> it.retryAfter();
      case ApiException.RateLimited it -> it.retryAfter();
      default -> Duration.ZERO;
    };
  }

  private static Duration shorter(Duration one, Duration other) {
    return one.compareTo(other) < 0 ? one : other;
  }

  /** Returns what the API reports of a failed or deferred attempt. */
  static Failure failure(Exception e) {
    if (Database.isAway(e)) {
      return new Failure("database_unavailable", "The database could not be reached.");
    }
    if (PassageEmbedding.isTooLong(e)) {
      return new Failure(
          "passage_too_long",
          "A passage is longer than the embedding model reads; 'documents.chunk-tokens' must be smaller.");
    }
    if (e instanceof ApiException it) {
      String code = isDeferral(it) && it.code() != null ? it.code() : "embeddings_unavailable";
      return new Failure(code, String.valueOf(it.getMessage()));
    }
    if (e instanceof ReaderUnavailableException it) {
      return new Failure(it.code(), String.valueOf(it.getMessage()));
    }
    if (e instanceof IOException) {
      return new Failure("object_store_unavailable", "The stored file could not be read.");
    }
    return new Failure("internal_error", "An internal error occurred; the log has its cause.");
  }
}
