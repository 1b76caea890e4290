package dev.jarvis.gateway;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jarvis.TestService;
import dev.jarvis.json.Json;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** The least number of tokens of a prompt. */
class PromptTokensTest {
  private static ChatRequest chat(String... messages) {
    return new ChatRequest(
        "m", (ObjectNode) TestService.json("{\"messages\":[" + String.join(",", messages) + "]}"));
  }

  private static String message(String role, String text) {
    return Json.object().put("role", role).put("content", text).toString();
  }

  static List<Arguments> texts() {
    return List.of(
        Arguments.of("", 0),
        Arguments.of("   \n\t  ", 0),
        Arguments.of("hello", 1),
        Arguments.of("The capital of France is Paris.", 6),
        Arguments.of("word ".repeat(8000), 8000),
        Arguments.of("antidisestablishmentarianism", 1),
        Arguments.of("-".repeat(10_000), 1),
        Arguments.of(" ".repeat(10_000) + "x", 1),
        Arguments.of("abcdefgh".repeat(100), 13),
        Arguments.of("北京是中国的首都", 1),
        // single tokens of OpenAI's o200k_base, some of them longer than 16 bytes
        Arguments.of("Российской правительства исследования использования", 4),
        Arguments.of("विश्वविद्यालय responsibilities", 2));
  }

  @ParameterizedTest
  @MethodSource("texts")
  void wordsAndLongWordsAreCounted(String text, int tokens) {
    assertThat(PromptTokens.least(chat(message("user", text)))).isEqualTo(tokens);
  }

  @Test
  void allMessagesCount() {
    assertThat(PromptTokens.least(chat(message("system", "a b"), message("user", "c d e"))))
        .isEqualTo(5);
  }

  @Test
  void whatTemplatesMayLeaveOutDoesNotCount() {
    String thought = message("assistant", "<think>let me see what this is</think>Paris.");
    String called =
        "{\"role\":\"assistant\",\"content\":\"I look it up\",\"tool_calls\":[{\"id\":\"1\"}]}";

    assertThat(PromptTokens.least(chat(thought, called, message("user", "and now")))).isEqualTo(3);
    assertThat(PromptTokens.least(chat(message("user", "what does <think> mean")))).isEqualTo(4);
  }

  @Test
  void theMostIsNeverLessThanTheBytes() {
    String text = "北京 and Paris, 🎉";
    assertThat(PromptTokens.most(chat(message("user", text))))
        .isGreaterThan(text.getBytes(UTF_8).length);
  }
}
