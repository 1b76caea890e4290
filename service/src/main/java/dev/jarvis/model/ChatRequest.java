package dev.jarvis.model;

import java.util.List;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.OptionalLong;

/**
 * What a model is asked, free of any dialect.
 *
 * @param model the model's name at its provider
 * @param messages the conversation, oldest first; never empty
 * @param temperature 0 to 2; the model's own default where absent
 * @param topP above 0 up to 1; the model's own default where absent
 * @param maxTokens most tokens to produce, at least 1
 * @param stop up to four sequences at which the answer ends, themselves left out
 * @param seed for repeatable sampling
 */
public record ChatRequest(
    String model,
    List<Message> messages,
    OptionalDouble temperature,
    OptionalDouble topP,
    OptionalInt maxTokens,
    List<String> stop,
    OptionalLong seed) {

  public ChatRequest {
    messages = List.copyOf(messages);
    stop = List.copyOf(stop);
  }

  /** The same, asked of another name: a public name becomes the provider's. */
  public ChatRequest withModel(String name) {
    return new ChatRequest(name, messages, temperature, topP, maxTokens, stop, seed);
  }

  /** Who speaks. */
  public enum Role {
    SYSTEM,
    USER,
    ASSISTANT
  }

  /** One turn of the conversation. */
  public record Message(Role role, String content) {}
}
