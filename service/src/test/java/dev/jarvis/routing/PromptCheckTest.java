package dev.jarvis.routing;

import static org.assertj.core.api.Assertions.assertThat;

import dev.jarvis.gateway.ChatRequest;
import dev.jarvis.gateway.Event;
import dev.jarvis.gateway.Usage;
import dev.jarvis.provider.Chats;
import java.util.List;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Whether a prompt was cut, by what the server counted. */
class PromptCheckTest {
  private static final int UNKNOWN = 0;

  /**
   * A prompt of so many words, to a server.
   *
   * @param window 0 if it is not known
   * @param silent whether the server cuts prompts without saying so
   * @param input what it counted; 0 for nothing
   * @param told null if nothing is told
   */
  private record Case(
      int words, int window, boolean silent, int input, int output, @Nullable String told) {}

  static List<Case> cases() {
    return List.of(
        // Ollama cuts the beginning: its window is full
        new Case(8000, 2048, true, 2048, 5, "prompt: 2048 of about 10000 tokens"),
        new Case(8000, 2048, true, 2050, 5, "prompt: 2050 of about 10000 tokens"),
        new Case(8000, UNKNOWN, true, 2048, 5, "prompt: 2048 of about 10000 tokens"),
        // Ollama leaves out the oldest messages: anything may be left
        new Case(8000, 2048, true, 10, 5, "prompt: 10 of about 10000 tokens"),
        // more tokens than estimated
        new Case(1000, 2048, true, 2048, 5, "prompt: only the 2048 tokens that fit the context"),
        // it fits
        new Case(1000, 2048, true, 1300, 5, null),
        new Case(1000, 2048, true, 1001, 5, null),
        new Case(1000, UNKNOWN, true, 1300, 5, null),
        new Case(8000, 8192, true, 8100, 5, null),
        new Case(1, 2048, true, 11, 5, null),
        // the answer outgrows the window, and Ollama drops the beginning
        new Case(
            1000,
            2048,
            true,
            1300,
            900,
            "prompt: its beginning, when the answer outgrew 2048 tokens"),
        new Case(1000, 2048, true, 1300, 748, null),
        // it does not count
        new Case(8000, 2048, true, 0, 5, "prompt: about 10000 tokens for a context of 2048"),
        new Case(1000, 2048, true, 0, 5, null),
        new Case(8000, UNKNOWN, true, 0, 5, null),
        // another server: only if its window is known, for it may count in its own way
        new Case(8000, UNKNOWN, false, 2048, 5, null),
        new Case(8000, 2048, false, 2040, 5, "prompt: 2040 of about 10000 tokens"),
        new Case(8000, 2048, false, 2048, 5, "prompt: 2048 of about 10000 tokens"),
        new Case(100, 200_000, false, 3, 5, null),
        new Case(1000, 2048, false, 2048, 5, null),
        new Case(1000, 2048, false, 1300, 900, null),
        new Case(8000, 2048, false, 0, 5, null));
  }

  @ParameterizedTest
  @MethodSource("cases")
  void aCutPromptIsTold(Case it) {
    ChatRequest chat = Chats.request("m", "word ".repeat(it.words));
    OptionalInt window = it.window == UNKNOWN ? OptionalInt.empty() : OptionalInt.of(it.window);
    Usage usage =
        it.input == 0 ? Usage.estimate(chat.estimatedTokens()) : Usage.counted(it.input, it.output);

    Event.Note note = new PromptCheck(chat, window, it.silent).cut(usage);

    assertThat(note == null ? null : note.detail()).isEqualTo(it.told);
  }
}
