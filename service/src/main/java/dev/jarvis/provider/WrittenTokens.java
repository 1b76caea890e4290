package dev.jarvis.provider;

import dev.jarvis.gateway.ChatRequest;
import dev.jarvis.gateway.Event;
import dev.jarvis.gateway.Usage;
import java.util.List;

/** An estimate of the tokens of a whole answer, for a server that does not count. */
public final class WrittenTokens {
  private WrittenTokens() {}

  /** One token for four characters of the question and of the answer. */
  public static Usage estimate(ChatRequest request, List<Event> answer) {
    long characters = 0;
    for (Event event : answer) {
      characters +=
          switch (event) {
            case Event.Text it -> it.text().length();
            case Event.Reasoning it -> it.text().length();
            case Event.ToolCall it -> it.arguments().length();
            default -> 0;
          };
    }
    int output = (int) ChatRequest.tokens(characters);
    return new Usage(request.estimatedTokens(), 0, output, 0, true);
  }
}
