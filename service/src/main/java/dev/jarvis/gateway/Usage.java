package dev.jarvis.gateway;

import java.util.Map;

/**
 * Tokens that a call used. The four kinds are disjoint, so they can be summed: OpenAI's {@code
 * prompt_tokens} include the cached ones, and its {@code completion_tokens} include reasoning.
 *
 * @param freshInputTokens input tokens, without the cached ones
 * @param cachedInputTokens input tokens that the model server found in its cache
 * @param answerTokens output tokens, without reasoning
 * @param reasoningTokens output tokens of the model's reasoning, if the server reports them
 * @param estimated whether the model server did not count, so that the numbers are approximate
 */
public record Usage(
    int freshInputTokens,
    int cachedInputTokens,
    int answerTokens,
    int reasoningTokens,
    boolean estimated) {

  /** No model worked. */
  public static final Usage NONE = new Usage(0, 0, 0, 0, false);

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
    return new Usage(freshInputTokens, cachedInputTokens, answerTokens, reasoningTokens, true);
  }

  /** All input tokens, as OpenAI counts them. */
  public int inputTokens() {
    return freshInputTokens + cachedInputTokens;
  }

  /** All output tokens, as OpenAI counts them. */
  public int outputTokens() {
    return answerTokens + reasoningTokens;
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
        "output", answerTokens,
        "reasoning", reasoningTokens);
  }

  /** The sum; approximate if one of the two is. */
  public Usage plus(Usage other) {
    return new Usage(
        freshInputTokens + other.freshInputTokens,
        cachedInputTokens + other.cachedInputTokens,
        answerTokens + other.answerTokens,
        reasoningTokens + other.reasoningTokens,
        estimated || other.estimated);
  }

  /** Adds an estimated number of output tokens. */
  Usage plusOutput(int tokens) {
    return tokens == 0
        ? this
        : new Usage(
            freshInputTokens, cachedInputTokens, answerTokens + tokens, reasoningTokens, true);
  }
}
