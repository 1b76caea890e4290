package dev.jarvis.provider;

import java.util.regex.Pattern;

/** Recognises a model server's error for a prompt that is longer than its context window. */
public final class ContextLength {
  /** OpenAI's code for this error. */
  public static final String EXCEEDED = "context_length_exceeded";

  /** As OpenAI, vLLM, SGLang, llama.cpp, Ollama, LM Studio and Mistral write it. */
  private static final Pattern TEXT =
      Pattern.compile(
          EXCEEDED
              + "|exceed_context_size"
              + "|maximum context length"
              + "|context (?:length|size|window)[^.]{0,60}(?:exceeded|too (?:long|large))"
              + "|(?:exceed|longer than|larger than|greater than|too large for)[^.]{0,80}context"
              + " ?(?:length|size|window)",
          Pattern.CASE_INSENSITIVE);

  private ContextLength() {}

  /** Whether the text of an error says that the prompt is too long. */
  public static boolean exceeded(String text) {
    return TEXT.matcher(text).find();
  }
}
