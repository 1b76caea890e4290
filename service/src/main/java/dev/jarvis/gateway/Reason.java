package dev.jarvis.gateway;

import java.util.Set;

/**
 * Why a model stopped.
 *
 * @param id as the model server wrote it; one that OpenAI does not have is kept as it is
 */
public record Reason(String id) {
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
   * Whether the answer is what the model had to say: not filtered, and not broken off for a reason
   * that is unknown, such as vLLM's {@code abort}.
   */
  public boolean complete() {
    return COMPLETE.contains(this);
  }
}
