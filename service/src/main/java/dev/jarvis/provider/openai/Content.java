package dev.jarvis.provider.openai;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jarvis.gateway.Event;
import dev.jarvis.json.Json;
import dev.jarvis.provider.Corrections;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Reads {@code content} that is no text: parts of text and reasoning, as Mistral sends them, are
 * translated; if there are others, all of them are passed on as they are.
 */
final class Content {
  private static final Set<String> TEXT = Set.of("text", "output_text");
  private static final Set<String> REASONING = Set.of("thinking", "reasoning");

  private Content() {}

  /** Adds the events of a content that is neither text nor null. */
  static void add(int choice, JsonNode content, Corrections corrections, List<Event> events) {
    if (content.isContainerNode() && content.isEmpty()) {
      return;
    }
    if (content.isValueNode()) {
      corrections.report("content", events);
      events.add(new Event.Text(choice, content.asText(), null));
      return;
    }
    List<Event> parts = new ArrayList<>();
    for (JsonNode part : content.isArray() ? content : List.of(content)) {
      Event event = part(choice, part);
      if (event == null) {
        ObjectNode fields = Json.object();
        fields.set("content", content);
        events.add(new Event.MessageFields(choice, fields));
        return;
      }
      parts.add(event);
    }
    corrections.report("content", events);
    parts.stream().filter(it -> !isEmpty(it)).forEach(events::add);
  }

  private static boolean isEmpty(Event part) {
    return switch (part) {
      case Event.Text it -> it.text().isEmpty();
      case Event.Reasoning it -> it.text().isEmpty();
      default -> false;
    };
  }

  /** Null if the part is of an unknown kind. */
  private static @Nullable Event part(int choice, JsonNode part) {
    if (part.isTextual()) {
      return new Event.Text(choice, part.textValue(), null);
    }
    String type = part.path("type").asText("");
    JsonNode text = part.path("text");
    if (text.isTextual() && part.size() <= 2 && (type.isEmpty() || TEXT.contains(type))) {
      return new Event.Text(choice, text.textValue(), null);
    }
    String reasoning = REASONING.contains(type) ? reasoning(part.path(type)) : null;
    return reasoning == null ? null : new Event.Reasoning(choice, reasoning, null);
  }

  /** A text, or a list of texts. */
  private static @Nullable String reasoning(JsonNode value) {
    if (value.isTextual()) {
      return value.textValue();
    }
    StringBuilder text = new StringBuilder();
    for (JsonNode part : value) {
      JsonNode piece = part.isTextual() ? part : part.path("text");
      if (!piece.isTextual()) {
        return null;
      }
      text.append(piece.textValue());
    }
    return value.isArray() ? text.toString() : null;
  }
}
