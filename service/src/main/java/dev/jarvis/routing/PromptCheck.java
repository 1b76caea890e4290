package dev.jarvis.routing;

import dev.jarvis.gateway.ChatRequest;
import dev.jarvis.gateway.Event;
import dev.jarvis.gateway.PromptTokens;
import dev.jarvis.gateway.Usage;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/**
 * Finds out whether a server has cut a prompt, by what it counted: less than the prompt must have,
 * or exactly what its context holds.
 *
 * @param chat the question to the target
 * @param window the target's context window, if known
 * @param silent whether the server cuts prompts without saying so
 */
record PromptCheck(ChatRequest chat, OptionalInt window, boolean silent) {
  /** Servers may add tokens of their own to a prompt that they have cut. */
  private static final int MARGIN = 8;

  /** A note for the client; null if nothing suggests that the prompt was cut. */
  Event.@Nullable Note cut(Usage usage) {
    if (!silent && window.isEmpty()) {
      return null; // it may count in its own way, for example without the tokens in its cache
    }
    int size = window.orElse(Integer.MAX_VALUE);
    if (usage.estimated() || usage.inputTokens() == 0) {
      return silent && least() > size
          ? note("prompt: about %d tokens for a context of %d".formatted(about(), size))
          : null;
    }
    int input = usage.inputTokens();
    boolean suspicious = silent || PromptTokens.most(chat) > size;
    boolean filled = input >= size && input - size <= MARGIN;
    if ((suspicious && least() > input) || (filled && (silent || about() > size))) {
      return note(
          about() > input
              ? "prompt: %d of about %d tokens".formatted(input, about())
              : "prompt: only the %d tokens that fit the context".formatted(input));
    }
    if (silent && (long) input + usage.outputTokens() > (long) size + MARGIN) {
      return note("prompt: its beginning, when the answer outgrew %d tokens".formatted(size));
    }
    return null;
  }

  private int least() {
    return PromptTokens.least(chat);
  }

  private int about() {
    return Math.max(chat.estimatedTokens(), least());
  }

  private static Event.Note note(String detail) {
    return new Event.Note(Event.Note.Kind.TRUNCATED, detail);
  }
}
