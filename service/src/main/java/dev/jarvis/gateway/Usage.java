package dev.jarvis.gateway;

/**
 * Tokens that a call took. The four kinds are disjoint, so that they sum: OpenAI's {@code
 * prompt_tokens} include its cached ones, and its {@code completion_tokens} its reasoning.
 *
 * @param freshInputTokens of the question, those from a cache not counted
 * @param cachedInputTokens of the question, found in the model server's cache
 * @param answerTokens of the answer, reasoning not counted
 * @param reasoningTokens that the model thought with, where the server reports them
 * @param estimated whether the model server did not count, so that these are approximate
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

  /** About what a question takes that the model server did not count. */
  public static Usage estimate(int inputTokens) {
    return new Usage(inputTokens, 0, 0, 0, true);
  }

  /** All of the question, as OpenAI counts it. */
  public int inputTokens() {
    return freshInputTokens + cachedInputTokens;
  }

  /** All of the answer, as OpenAI counts it. */
  public int outputTokens() {
    return answerTokens + reasoningTokens;
  }

  /** With so many more output tokens than were counted. */
  Usage plusOutput(int tokens) {
    return tokens == 0
        ? this
        : new Usage(
            freshInputTokens, cachedInputTokens, answerTokens + tokens, reasoningTokens, true);
  }
}
