package dev.jarvis.document;

import dev.jarvis.document.extract.ExtractLimits;
import dev.jarvis.limit.Admission;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * What files are taken and how they are worked on.
 *
 * @param maxFileBytes most bytes of a file
 * @param maxFiles most files of a user
 * @param maxUserMib most MiB of a user's files together
 * @param uploadTimeout how long an upload may take
 * @param workers how many documents are worked on at once in this process; 0 leaves it to others
 * @param lease after which another worker takes a document whose own was not heard of
 * @param maxAttempts after so many that failed a document is given up
 * @param firstRetry pause after the first attempt that failed; doubles with each
 * @param longestRetry longest such pause
 * @param chunkTokens most tokens of a passage, by the rule of thumb
 * @param textSearch PostgreSQL's text search configuration: whose word forms are the same word
 * @param embeddingModel name of a model or route; null for full text alone
 * @param contextTokens how many tokens of passages an answer is grounded on at most, by default
 * @param uploads how many files are received at once
 * @param searches how many searches use the database at once
 */
public record DocumentConfig(
    long maxFileBytes,
    int maxFiles,
    int maxUserMib,
    Duration uploadTimeout,
    int workers,
    Duration lease,
    int maxAttempts,
    Duration firstRetry,
    Duration longestRetry,
    ExtractLimits extract,
    int chunkTokens,
    String textSearch,
    @Nullable String embeddingModel,
    int contextTokens,
    Admission.Limits uploads,
    Admission.Limits searches) {

  /** Of the form around a file. */
  private static final int FORM_BYTES = 1 << 20;

  /** Most bytes of a user's files together. */
  long maxUserBytes() {
    return (long) maxUserMib << 20;
  }

  /** Most bytes of an upload's body. */
  public long maxUploadBytes() {
    return maxFileBytes + FORM_BYTES;
  }
}
