package dev.jarvis.document;

import dev.jarvis.config.Default;
import dev.jarvis.config.Doc;
import dev.jarvis.config.Inline;
import dev.jarvis.config.Range;
import dev.jarvis.document.extract.ExtractLimits;
import dev.jarvis.limit.Admission;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** Which files are accepted and how they are processed and searched. */
public record DocumentConfig(
    @Inline FileLimits files,
    @Inline Queues queues,
    @Inline Work work,
    @Inline ExtractLimits extract,
    @Inline Passages passages) {

  /** What a user may upload. */
  public record FileLimits(
      @Doc("Maximum size of a file in bytes.")
          @Default("52428800")
          @Range(min = 1_024, max = 1 << 30)
          long maxFileBytes,
      @Doc("Maximum number of files of a user.") @Default("10000") @Range(min = 1, max = 10_000_000)
          int maxFiles,
      @Doc("Maximum size of all files of a user in MiB, checked when an upload begins.")
          @Default("10240")
          @Range(min = 1, max = 1 << 30)
          int maxUserMib,
      @Doc("How long an upload may take, from its head to its last byte.") @Default("10m")
          Duration uploadTimeout) {

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

  /** How much is done at once. */
  public record Queues(
      @Doc("Uploads in progress at once, at most half of them by one user.")
          @Default("16")
          @Range(min = 1, max = 10_000)
          int maxUploads,
      @Doc(
              "Minimum rate of an upload in bytes per second, while a user without an upload waits for one; then slower ones are ended.")
          @Default("16384")
          @Range(min = 1, max = 1 << 30)
          int minUploadRate,
      @Doc("How long a client may send nothing until its upload counts as slower than that.")
          @Default("5s")
          Duration uploadGrace,
      @Doc(
              "Searches that use the database at once, for /v1/search and grounding; below database.pool-size.")
          @Default("4")
          @Range(min = 1, max = 999)
          int maxSearches,
      @Doc(
              "Maximum number of waiting uploads, and of waiting searches. Those beyond get 503 and Retry-After.")
          @Default("64")
          @Range(max = 100_000)
          int maxQueued,
      @Doc("How long an upload or a search may wait.") @Default("10s") Duration queueTimeout) {

    public Admission.Limits uploads() {
      return new Admission.Limits(maxUploads, (maxUploads + 1) / 2, maxQueued, queueTimeout);
    }

    public Admission.Limits searches() {
      return new Admission.Limits(maxSearches, maxQueued, queueTimeout);
    }
  }

  /** The workers. */
  public record Work(
      @Doc("Documents that this process works on at once. 0 leaves the queue to other replicas.")
          @Default("2")
          @Range(max = 256)
          int workers,
      @Doc("Time after which another worker takes over a document whose lease was not renewed.")
          @Default("60s")
          Duration lease,
      @Doc("Maximum number of attempts in succession that bring a document no further.")
          @Default("10")
          @Range(min = 1, max = 1_000)
          int maxAttempts,
      @Doc(
              "How often in succession limits of JARVIS itself, for example chat.max-concurrent, may defer a document. A deferral is not an attempt.")
          @Default("100")
          @Range(max = 100_000)
          int maxDeferrals,
      @Doc("Pause after the first failed attempt or deferral; doubles with each further one.")
          @Default("5s")
          Duration firstRetry,
      @Doc("Longest pause between attempts, unless a server asks for a longer one.") @Default("15m")
          Duration longestRetry) {}

  /** How documents are divided and searched. */
  public record Passages(
      @Doc("Maximum number of tokens of a passage, counted as four characters each.")
          @Default("300")
          @Range(min = 32, max = 8_192)
          int chunkTokens,
      @Doc(
              "PostgreSQL's text search configuration of all new documents, for example simple, english or french. Empty: each document has that of its language, and simple if the language is uncertain or has none. A document keeps the one that it was processed with.")
          @Nullable String textSearch,
      @Doc(
              "Model or route for embeddings, which make passages searchable by meaning. Empty: by words only.")
          @Nullable String embeddingModel,
      @Doc(
              "Maximum number of tokens of passages that an answer is grounded on, unless the request sets it.")
          @Default("1000")
          @Range(min = 32, max = 1_000_000)
          int contextTokens) {}
}
