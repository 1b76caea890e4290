package dev.jarvis.gateway;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jarvis.json.Json;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;
import java.util.StringJoiner;

/**
 * A chat that a model is asked to continue.
 *
 * @param model the model's name at its provider; the body holds the client's name for it
 * @param body the request in OpenAI's form, checked; must not be changed
 */
public record ChatRequest(String model, ObjectNode body) implements Question {
  /** OpenAI's rule of thumb for English. */
  private static final int CHARACTERS_PER_TOKEN = 4;

  /** The types of parts that are text; the text is in the field of the same name. */
  public static final Set<String> TEXT_PARTS = Set.of("text", "refusal");

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

  /** At least 0; the model's default if absent. */
  public OptionalDouble temperature() {
    return number("temperature");
  }

  /** Above 0, up to 1; the model's default if absent. */
  public OptionalDouble topP() {
    return number("top_p");
  }

  /** Usually -2 to 2; penalises tokens by how often they have appeared. */
  public OptionalDouble frequencyPenalty() {
    return number("frequency_penalty");
  }

  /** Usually -2 to 2; penalises tokens that have appeared at all. */
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
    JsonNode value = current.isNumber() ? current : body.path("max_tokens");
    return value.canConvertToInt() ? OptionalInt.of(value.intValue()) : OptionalInt.empty();
  }

  /** Sequences that end the answer; they are not part of it. */
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
    return seed.canConvertToLong() ? OptionalLong.of(seed.longValue()) : OptionalLong.empty();
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
      return switch (role) {
        case "developer" -> "system";
        case "function" -> "tool";
        default -> role;
      };
    }

    /** Its text parts, a line each; without content, its refusal or what was spoken. */
    public String text() {
      JsonNode content = json.path("content");
      if (content.isTextual() && !content.textValue().isEmpty()) {
        return content.textValue();
      }
      StringJoiner text = new StringJoiner("\n");
      for (JsonNode part : content) {
        String type = part.path("type").asText();
        if (TEXT_PARTS.contains(type)) {
          text.add(part.path(type).asText());
        }
      }
      if (!content.isEmpty()) {
        return text.toString();
      }
      String refusal = json.path("refusal").asText("");
      return refusal.isEmpty() ? json.at("/audio/transcript").asText("") : refusal;
    }

    /** The types of its parts; empty if its content is a text. */
    public Set<String> partTypes() {
      Set<String> types = new LinkedHashSet<>();
      json.path("content").forEach(part -> types.add(part.path("type").asText()));
      return types;
    }

    /** The reasoning of an earlier answer; empty if there is none. */
    public String reasoning() {
      String text = json.path("reasoning_content").asText("");
      return text.isEmpty() ? json.path("reasoning").asText("") : text;
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

    /** The tool calls that the model made in this message; may be empty. */
    public List<ToolCall> toolCalls() {
      List<ToolCall> calls = new ArrayList<>();
      json.path("tool_calls").forEach(it -> calls.add(ToolCall.of(it)));
      JsonNode older = json.path("function_call");
      if (calls.isEmpty() && older.isObject()) {
        calls.add(ToolCall.of(Json.object().set("function", older)));
      }
      return calls;
    }
  }

  /**
   * A call of a tool that the model made earlier.
   *
   * @param id empty if it has none
   * @param arguments JSON text, or JSON
   */
  public record ToolCall(String id, String name, JsonNode arguments) {
    private static ToolCall of(JsonNode call) {
      String id = call.path("id").asText("");
      JsonNode custom = call.path("custom");
      if (custom.isObject()) {
        JsonNode input = Json.object().set("input", custom.path("input"));
        return new ToolCall(id, custom.path("name").asText(), input);
      }
      JsonNode function = call.path("function");
      if (function.isObject()) {
        return new ToolCall(id, function.path("name").asText(), function.path("arguments"));
      }
      String type = call.path("type").asText();
      return new ToolCall(id, type, call.path(type));
    }
  }
}
