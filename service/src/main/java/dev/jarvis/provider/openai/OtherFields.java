package dev.jarvis.provider.openai;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The fields of a server's JSON that have no event of their own. */
final class OtherFields {
  private OtherFields() {}

  /** The other fields that are not empty; null if there are none. */
  static @Nullable ObjectNode of(JsonNode json, Set<String> known) {
    ObjectNode rest = null;
    for (Map.Entry<String, JsonNode> field : json.properties()) {
      JsonNode value = field.getValue();
      if (!known.contains(field.getKey()) && !isEmpty(value)) {
        rest = rest == null ? ((ObjectNode) json).objectNode() : rest;
        rest.set(field.getKey(), value);
      }
    }
    return rest;
  }

  /** Whether a value says nothing: null, an empty text, list or object. */
  static boolean isEmpty(JsonNode value) {
    return value.isContainerNode()
        ? value.isEmpty()
        : value.isNull() || (value.isTextual() && value.textValue().isEmpty());
  }
}
