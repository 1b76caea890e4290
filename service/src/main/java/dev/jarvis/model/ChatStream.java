package dev.jarvis.model;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.time.Duration;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * An answer that is being produced: pull its chunks until the one that carries a {@link Finish}.
 * Not thread-safe, but for {@link #close()}.
 */
public interface ChatStream extends AutoCloseable {

  /**
   * Waits for the next chunk.
   *
   * @return the chunk with the finish is the last one
   * @throws ModelException if the model server fails, stalls beyond its limit or sends what cannot
   *     be understood
   */
  Chunk next() throws ModelException;

  /**
   * The use so far, for answers that are cut off before their finish. Exact once the chunk with the
   * finish was given out; before it the output is counted by pieces, one a token, and the input is
   * estimated where the server tells it at the end only. Callable from any thread, also after
   * {@link #close}.
   */
  Usage usage();

  /**
   * Ends the generation at the model server if it still runs; idempotent, never throws, callable
   * from any thread.
   */
  @Override
  void close();

  /**
   * A piece of the answer.
   *
   * @param choice which one of several answers to the same question it belongs to, from 0
   * @param text may be empty
   * @param more what else the model says, as fields of OpenAI's {@code delta}: {@code tool_calls},
   *     {@code refusal}, {@code reasoning_content}; null if nothing
   * @param logprobs of its tokens in OpenAI's form; null where they were not asked for
   * @param reason why the choice ended; null before its last piece
   * @param finish the end of all choices; null before the last chunk
   */
  record Chunk(
      int choice,
      String text,
      @Nullable ObjectNode more,
      @Nullable JsonNode logprobs,
      @Nullable Reason reason,
      @Nullable Finish finish) {

    /** A piece of the only answer, which may end with it. */
    Chunk(String text, @Nullable Finish finish) {
      this(0, text, null, null, finish == null ? null : finish.reason(), finish);
    }

    /** Whether the model said something. */
    public boolean says() {
      return !text.isEmpty() || more != null;
    }
  }

  /**
   * How and with what use the answer ended.
   *
   * @param reason the first choice's
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

  /**
   * Why the model stopped.
   *
   * @param id as the model server wrote it; one that OpenAI does not have is kept as it is
   */
  record Reason(String id) {
    /** A natural end or a stop sequence. */
    public static final Reason STOP = new Reason("stop");

    /** The limit of tokens. */
    public static final Reason LENGTH = new Reason("length");

    /** It calls tools and waits for what they return. */
    public static final Reason TOOL_CALLS = new Reason("tool_calls");

    /** The same in OpenAI's older form. */
    public static final Reason FUNCTION_CALL = new Reason("function_call");

    private static final Set<Reason> COMPLETE = Set.of(STOP, LENGTH, TOOL_CALLS, FUNCTION_CALL);
    private static final int MAX_CHARS = 64;

    /** The reason of that name, without control characters and of limited length. */
    public static Reason of(String id) {
      String printable = id.replaceAll("\\p{Cntrl}", "");
      return new Reason(printable.substring(0, Math.min(printable.length(), MAX_CHARS)));
    }

    /**
     * Whether the answer is what the model had to say: not filtered, and not broken off for a
     * reason that is unknown, such as vLLM's {@code abort}.
     */
    public boolean complete() {
      return COMPLETE.contains(this);
    }
  }

  /**
   * Tokens by the model server's own count.
   *
   * @param inputTokens all of the question, those from a cache too
   * @param cachedInputTokens those of them that the server had in its cache and tells so
   * @param estimated whether the server did not count, so that these are about right only
   */
  record Usage(int inputTokens, int cachedInputTokens, int outputTokens, boolean estimated) {
    /** Counted, nothing from a cache. */
    public Usage(int inputTokens, int outputTokens) {
      this(inputTokens, 0, outputTokens, false);
    }

    /** Those that were not in the server's cache. */
    public int freshInputTokens() {
      return inputTokens - cachedInputTokens;
    }

    /** One more piece of output. */
    Usage piece() {
      return new Usage(inputTokens, cachedInputTokens, outputTokens + 1, true);
    }
  }
}
