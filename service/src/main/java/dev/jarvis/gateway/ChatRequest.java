package dev.jarvis.gateway;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.OptionalLong;

/**
 * A chat that a model is asked to continue.
 *
 * @param model the model's name at its provider; the body holds the client's name for it
 * @param body the request in OpenAI's form, checked; must not be changed
 */
public record ChatRequest(String model, ObjectNode body) implements Question {
  /** OpenAI's rule of thumb for English. */
  private static final int CHARACTERS_PER_TOKEN = 4;

  /** The same request under another model name: the provider's instead of the public one. */
  public ChatRequest withModel(String name) {
    return new ChatRequest(name, body);
  }

  @Override
  public Operation operation() {
    return Operation.CHAT;
  }

  /** The conversation, oldest first; never empty. */
  public List<Message> messages() {
    List<Message> messages = new ArrayList<>();
    body.path("messages").forEach(it -> messages.add(new Message((ObjectNode) it)));
    return messages;
  }

  /** 0 to 2; the model's default if absent. */
  public OptionalDouble temperature() {
    return number("temperature");
  }

  /** Above 0, up to 1; the model's default if absent. */
  public OptionalDouble topP() {
    return number("top_p");
  }

  /** -2 to 2; penalises tokens by how often they have appeared. */
  public OptionalDouble frequencyPenalty() {
    return number("frequency_penalty");
  }

  /** -2 to 2; penalises tokens that have appeared at all. */
  public OptionalDouble presencePenalty() {
    return number("presence_penalty");
  }

  /** Divides the score of tokens that have appeared; 1 is off. Ollama's and llama.cpp's field. */
  public OptionalDouble repeatPenalty() {
    return number("repeat_penalty");
  }

  /** Maximum number of output tokens, at least 1. */
  @Override
  public OptionalInt maxTokens() {
    JsonNode current = body.path("max_completion_tokens");
    JsonNode value = current.isInt() ? current : body.path("max_tokens");
    return value.isInt() ? OptionalInt.of(value.intValue()) : OptionalInt.empty();
  }

  /** Up to four sequences that end the answer; they are not part of it. */
  public List<String> stop() {
    JsonNode stop = body.path("stop");
    List<String> sequences = new ArrayList<>();
    if (stop.isTextual()) {
      sequences.add(stop.textValue());
    }
    stop.forEach(it -> sequences.add(it.textValue()));
    return sequences;
  }

  /** For repeatable sampling. */
  public OptionalLong seed() {
    JsonNode seed = body.path("seed");
    return seed.isIntegralNumber() ? OptionalLong.of(seed.longValue()) : OptionalLong.empty();
  }

  @Override
  public int estimatedTokens() {
    long characters = messages().stream().mapToLong(it -> it.text().length()).sum();
    return (int) tokens(characters);
  }

  /** An estimate of the number of tokens. */
  public static long tokens(long characters) {
    return Math.ceilDiv(characters, CHARACTERS_PER_TOKEN);
  }

  private OptionalDouble number(String name) {
    JsonNode value = body.path(name);
    return value.isNumber() ? OptionalDouble.of(value.doubleValue()) : OptionalDouble.empty();
  }

  /**
   * One message of the conversation.
   *
   * @param json in OpenAI's form
   */
  public record Message(ObjectNode json) {
    /** The author: {@code system}, {@code user}, {@code assistant} or {@code tool}. */
    public String role() {
      String role = json.path("role").asText();
      return role.equals("developer") ? "system" : role;
    }

    /** Its text parts, joined. */
    public String text() {
      JsonNode content = json.path("content");
      if (content.isTextual()) {
        return content.textValue();
      }
      StringBuilder text = new StringBuilder();
      content.forEach(part -> text.append(part.path("text").asText()));
      return text.toString();
    }

    /** The URLs of its images. */
    public List<String> images() {
      List<String> urls = new ArrayList<>();
      for (JsonNode part : json.path("content")) {
        if (part.path("type").asText().equals("image_url")) {
          urls.add(part.at("/image_url/url").asText());
        }
      }
      return urls;
    }

    /** The tool calls that the model made in this message, in OpenAI's form; may be empty. */
    public JsonNode toolCalls() {
      return json.path("tool_calls");
    }
  }
}
