package dev.jarvis.provider.openai;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jarvis.provider.Counts;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * An entry of {@code tool_calls}, as a server sent it.
 *
 * @param index null if the server gives none, or none that can be
 * @param id null if absent or empty
 * @param kind the field that holds the call: {@code function} or {@code custom}; null for others
 * @param name null if absent or empty
 * @param arguments of a function, or the input of a custom tool
 */
record ToolCallPiece(
    ObjectNode json,
    @Nullable Integer index,
    @Nullable String id,
    @Nullable String kind,
    @Nullable String name,
    JsonNode arguments) {

  /** Fields that are given anew. */
  private static final Set<String> DROPPED = Set.of("index", "id", "type");

  static ToolCallPiece of(ObjectNode json) {
    String kind =
        json.path("function").isObject()
            ? "function"
            : json.path("custom").isObject() ? "custom" : null;
    JsonNode called = kind == null ? JsonNodeFactory.instance.missingNode() : json.path(kind);
    int index = Counts.of(json.path("index"));
    return new ToolCallPiece(
        json,
        index < 0 ? null : (Integer) index,
        text(json.path("id")),
        kind,
        text(called.path("name")),
        called.path(argumentsOf(kind)));
  }

  private static String argumentsOf(@Nullable String kind) {
    return "custom".equals(kind) ? "input" : "arguments";
  }

  private static @Nullable String text(JsonNode value) {
    String text = value.isValueNode() && !value.isNull() ? value.asText() : "";
    return text.isEmpty() ? null : text;
  }

  /** Whether the piece holds arguments. */
  boolean hasArguments() {
    return !arguments.isMissingNode()
        && !arguments.isNull()
        && !(arguments.isContainerNode() && arguments.isEmpty());
  }

  /** The arguments as text: an object is written as JSON. */
  String argumentsText() {
    if (!hasArguments()) {
      return "";
    }
    return arguments.isContainerNode() ? arguments.toString() : arguments.asText();
  }

  /** Whether arguments are given in another form than text. */
  boolean otherForm() {
    return !arguments.isTextual() && !arguments.isMissingNode();
  }

  /** The entry with other values; null for none. */
  ObjectNode with(
      @Nullable String newId, @Nullable String type, @Nullable String newName, String text) {
    ObjectNode copy = json.objectNode();
    if (newId != null) {
      copy.put("id", newId);
    }
    if (type != null) {
      copy.put("type", type);
    }
    json.properties().stream()
        .filter(it -> !DROPPED.contains(it.getKey()))
        .filter(it -> !copy.has(it.getKey()))
        .forEach(it -> copy.set(it.getKey(), it.getValue()));
    if (kind != null && json.get(kind) instanceof ObjectNode called) {
      ObjectNode changed = json.objectNode();
      if (newName != null) {
        changed.put("name", newName);
      }
      ObjectNode rest = called.deepCopy().without(List.of("name", argumentsOf(kind)));
      changed.setAll(rest);
      changed.put(argumentsOf(kind), text);
      copy.set(kind, changed);
    }
    return copy;
  }
}
