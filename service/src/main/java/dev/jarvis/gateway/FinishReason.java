package dev.jarvis.gateway;

import java.util.Set;

/**
 * Why a model stopped.
 *
 * @param id as the model server sent it; values that OpenAI does not define are kept
 */
public record FinishReason(String id) {
  /** A natural end or a stop sequence. */
  public static final FinishReason STOP = new FinishReason("stop");

  /** The token limit. */
  public static final FinishReason LENGTH = new FinishReason("length");

  /** The model calls tools and waits for their results. */
  public static final FinishReason TOOL_CALLS = new FinishReason("tool_calls");

  /** The same in OpenAI's older form. */
  public static final FinishReason FUNCTION_CALL = new FinishReason("function_call");

  private static final Set<FinishReason> COMPLETE = Set.of(STOP, LENGTH, TOOL_CALLS, FUNCTION_CALL);
  private static final int MAX_CHARS = 64;

  /** The reason with that id, without control characters and cut to 64 characters. */
  public static FinishReason of(String id) {
    String printable = id.replaceAll("\\p{Cntrl}", "");
    return new FinishReason(printable.substring(0, Math.min(printable.length(), MAX_CHARS)));
  }

  /**
   * Whether the answer is complete: neither filtered nor cut off for an unknown reason, such as
   * vLLM's {@code abort}.
   */
  public boolean complete() {
    return COMPLETE.contains(this);
  }
}
