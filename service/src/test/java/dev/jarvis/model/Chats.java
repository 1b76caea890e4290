package dev.jarvis.model;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jarvis.http.Json;
import java.util.List;

/** Requests and whole answers, in short. */
final class Chats {
  private Chats() {}

  record Answer(String text, ChatStream.Finish finish) {}

  static ChatRequest request(String model, String question) {
    ObjectNode body = Json.object();
    body.putArray("messages").add(message("user", question).json());
    return new ChatRequest(model, body);
  }

  static ChatRequest.Message message(String role, String content) {
    return new ChatRequest.Message(Json.object().put("role", role).put("content", content));
  }

  /** Greedy, so that the answer is the same each time. */
  static ChatRequest greedy(String model, String question, int maxTokens, String... stop) {
    ChatRequest request = request(model, question);
    request.body().put("temperature", 0).put("max_tokens", maxTokens).put("seed", 1);
    List.of(stop).forEach(request.body().putArray("stop")::add);
    return request;
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
