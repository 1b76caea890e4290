package dev.jarvis.provider;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Which texts of errors say that a prompt is too long. */
class ErrorWordsTest {
  @ParameterizedTest
  @ValueSource(
      strings = {
        // OpenAI and vLLM
        "This model's maximum context length is 4096 tokens. However, you requested 5000 tokens.",
        // SGLang
        "Input length (9000 tokens) exceeds the maximum allowed length (8192 tokens): longer than the model's context length.",
        // llama.cpp
        "the request exceeds the available context size, try increasing it",
        "request (8889 tokens) exceeds the available context size (4096 tokens), try increasing it",
        // Ollama
        "the input length exceeds the context length",
        // LM Studio
        "Trying to keep the first 9000 tokens when context overflows, but the context length of 4096 is exceeded: context length exceeded"
      })
  void aPromptThatIsTooLongIsRecognised(String text) {
    assertThat(ErrorWords.tooLong(400, text)).isTrue();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "'temperature' is 3; the maximum is 2.",
        "max_tokens is too large: 100000",
        "the image exceeds the maximum size",
        "in this context, 'tools' must be an array",
        "ThrottlingException: Too many tokens, please wait before trying again.",
        "Too many tokens per day.",
        "Requests exceed the maximum number of tokens per minute."
      })
  void otherErrorsAreNotTakenForIt(String text) {
    assertThat(ErrorWords.tooLong(400, text)).isFalse();
  }
}
