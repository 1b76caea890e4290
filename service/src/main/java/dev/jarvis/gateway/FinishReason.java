package dev.jarvis.gateway;

import java.util.Set;

/**
 * Why a model stopped.
 *
 * @param id as the model server wrote it; one that OpenAI does not have is kept as it is
 */
public record FinishReason(String id) {
  /** A natural end or a stop sequence. */
  public static final FinishReason STOP = new FinishReason("stop");

  /** The limit of tokens. */
  public static final FinishReason LENGTH = new FinishReason("length");

  /** It calls tools and waits for what they return. */
  public static final FinishReason TOOL_CALLS = new FinishReason("tool_calls");

  /** The same in OpenAI's older form. */
  public static final FinishReason FUNCTION_CALL = new FinishReason("function_call");

  private static final Set<FinishReason> COMPLETE = Set.of(STOP, LENGTH, TOOL_CALLS, FUNCTION_CALL);
  private static final int MAX_CHARS = 64;

  /** The reason of that name, without control characters and of limited length. */
  public static FinishReason of(String id) {
    String printable = id.replaceAll("\\p{Cntrl}", "");
    return new FinishReason(printable.substring(0, Math.min(printable.length(), MAX_CHARS)));
  }

  /**
   * Whether the answer is what the model had to say: not filtered, and not broken off for a reason
   * that is unknown, such as vLLM's {@code abort}.
   */
  public boolean complete() {
    return COMPLETE.contains(this);
  }
}
