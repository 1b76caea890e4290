package dev.jarvis.gateway;

import java.util.Map;

/**
 * Tokens that a call used. The kinds are disjoint, so they can be summed: OpenAI's {@code
 * prompt_tokens} include the cached ones, those written to the cache and audio, and its {@code
 * completion_tokens} include reasoning and audio. Audio that was cached counts as cached.
 *
 * @param freshInputTokens input tokens of no other kind
 * @param cachedInputTokens input tokens that the model server found in its cache
 * @param cacheWriteTokens input tokens that the model server wrote to its cache, if it reports them
 * @param audioInputTokens input tokens of audio, if the server reports them
 * @param answerTokens output tokens of no other kind
 * @param reasoningTokens output tokens of the model's reasoning, if the server reports them
 * @param audioOutputTokens output tokens of audio, if the server reports them
 * @param estimated whether the model server did not count, so that the numbers are approximate
 */
public record Usage(
    int freshInputTokens,
    int cachedInputTokens,
    int cacheWriteTokens,
    int audioInputTokens,
    int answerTokens,
    int reasoningTokens,
    int audioOutputTokens,
    boolean estimated) {

  /** No model worked. */
  public static final Usage NONE = new Usage(0, 0, 0, 0, false);

  /** Text, of which nothing was written to a cache. */
  public Usage(
      int freshInputTokens,
      int cachedInputTokens,
      int answerTokens,
      int reasoningTokens,
      boolean estimated) {
    this(freshInputTokens, cachedInputTokens, 0, 0, answerTokens, reasoningTokens, 0, estimated);
  }

  /** Counted by the model server, nothing from a cache, no reasoning. */
  public static Usage counted(int inputTokens, int outputTokens) {
    return new Usage(inputTokens, 0, outputTokens, 0, false);
  }

  /** An estimate of the input, for a model server that does not count. */
  public static Usage estimate(int inputTokens) {
    return new Usage(inputTokens, 0, 0, 0, true);
  }

  /** The same numbers, marked as approximate. */
  public Usage asEstimate() {
    return plus(0, true);
  }

  /** All input tokens, as OpenAI counts them. */
  public int inputTokens() {
    return freshInputTokens + cachedInputTokens + cacheWriteTokens + audioInputTokens;
  }

  /** All output tokens, as OpenAI counts them. */
  public int outputTokens() {
    return answerTokens + reasoningTokens + audioOutputTokens;
  }

  /** All tokens. */
  long tokens() {
    return (long) inputTokens() + outputTokens();
  }

  /** The number of tokens by the label {@code type} of {@code llm_tokens_total}. */
  Map<String, Integer> byKind() {
    return Map.of(
        "input", freshInputTokens,
        "cached_input", cachedInputTokens,
        "cache_write", cacheWriteTokens,
        "audio_input", audioInputTokens,
        "output", answerTokens,
        "reasoning", reasoningTokens,
        "audio_output", audioOutputTokens);
  }

  /** The sum; approximate if one of the two is. */
  public Usage plus(Usage other) {
    return new Usage(
        freshInputTokens + other.freshInputTokens,
        cachedInputTokens + other.cachedInputTokens,
        cacheWriteTokens + other.cacheWriteTokens,
        audioInputTokens + other.audioInputTokens,
        answerTokens + other.answerTokens,
        reasoningTokens + other.reasoningTokens,
        audioOutputTokens + other.audioOutputTokens,
        estimated || other.estimated);
  }

  /** Adds an estimated number of output tokens. */
  Usage plusOutput(int tokens) {
    return tokens == 0 ? this : plus(tokens, true);
  }

  private Usage plus(int output, boolean estimate) {
    return new Usage(
        freshInputTokens,
        cachedInputTokens,
        cacheWriteTokens,
        audioInputTokens,
        answerTokens + output,
        reasoningTokens,
        audioOutputTokens,
        estimate);
  }
}
