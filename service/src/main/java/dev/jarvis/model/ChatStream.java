package dev.jarvis.model;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * An answer that is being produced: pull its chunks until the one that carries a {@link Finish}.
 * Not thread-safe, but for {@link #close()}.
 */
public interface ChatStream extends AutoCloseable {

  /**
   * Waits for the next chunk.
   *
   * @return text, the finish, or both; the chunk with the finish is the last one
   * @throws ModelException if the model server fails, stalls beyond its limit or sends what cannot
   *     be understood
   */
  Chunk next() throws ModelException;

  /**
   * The use so far, for answers that are cut off before their finish. Exact once the chunk with the
   * finish was given out; before it the output is counted by pieces, one a token, and the input is
   * 0 where the server tells it at the end only. Callable from any thread, also after {@link
   * #close}.
   */
  Usage usage();

  /**
   * Ends the generation at the model server if it still runs; idempotent, never throws, callable
   * from any thread.
   */
  @Override
  void close();

  /** A piece of the answer: {@code text} may be empty. */
  record Chunk(String text, @Nullable Finish finish) {}

  /**
   * How and with what use the answer ended.
   *
   * @param timings null from a provider that tells none
   */
  record Finish(Reason reason, Usage usage, @Nullable Timings timings) {}

  /**
   * Where the time went, by the model server's own clock. What is left of the whole was waited for
   * a free place at the model.
   *
   * @param load until the model was in memory; some milliseconds if it was there
   * @param prompt reading the question
   * @param generation writing the answer
   */
  record Timings(Duration load, Duration prompt, Duration generation) {
    /** How long the machine worked for it. */
    public Duration compute() {
      return load.plus(prompt).plus(generation);
    }
  }

  /** Why the model stopped. */
  enum Reason {
    /** A natural end or a stop sequence. */
    STOP,
    /** The limit of tokens. */
    LENGTH
  }

  /** Tokens by the model server's own count. */
  record Usage(int inputTokens, int outputTokens) {}
}
