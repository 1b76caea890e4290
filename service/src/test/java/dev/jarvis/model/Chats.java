package dev.jarvis.model;

import java.util.List;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.OptionalLong;

/** Requests and whole answers, in short. */
final class Chats {
  private Chats() {}

  record Answer(String text, ChatStream.Finish finish) {}

  static ChatRequest request(String model, String question) {
    return new ChatRequest(
        model,
        List.of(new ChatRequest.Message(ChatRequest.Role.USER, question)),
        OptionalDouble.empty(),
        OptionalDouble.empty(),
        OptionalInt.empty(),
        List.of(),
        OptionalLong.empty());
  }

  /** Greedy, so that the answer is the same each time. */
  static ChatRequest greedy(String model, String question, int maxTokens, String... stop) {
    return new ChatRequest(
        model,
        List.of(new ChatRequest.Message(ChatRequest.Role.USER, question)),
        OptionalDouble.of(0),
        OptionalDouble.empty(),
        OptionalInt.of(maxTokens),
        List.of(stop),
        OptionalLong.of(1));
  }

  /** Reads to the end. */
  static Answer read(ChatStream stream) throws ModelException {
    StringBuilder text = new StringBuilder();
    while (true) {
      ChatStream.Chunk chunk = stream.next();
      text.append(chunk.text());
      if (chunk.finish() != null) {
        return new Answer(text.toString(), chunk.finish());
      }
    }
  }
}
