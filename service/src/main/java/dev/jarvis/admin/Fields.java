package dev.jarvis.admin;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jarvis.error.ApiException;
import dev.jarvis.gateway.RateLimits;
import dev.jarvis.identity.Identifier;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Reads fields of bodies that their schemas have accepted. A field that is absent keeps its value,
 * and null clears it.
 */
final class Fields {
  private Fields() {}

  /** A text for people. */
  static @Nullable String name(ObjectNode body, @Nullable String present) {
    if (!body.has("name")) {
      return present;
    }
    String name = body.path("name").textValue();
    if (name != null) {
      requireText(name, "name");
    }
    return name;
  }

  /** The id of a user or team to be created. */
  static String newId(ObjectNode body) {
    String id = body.path("id").textValue();
    if (!Identifier.isValid(id)) {
      throw invalid("'id' is '%s'; %s.".formatted(printable(id), Identifier.RULE), "id");
    }
    return id;
  }

  static RateLimits limits(ObjectNode body, RateLimits present) {
    JsonNode limits = body.path("limits");
    if (limits.isNull()) {
      return RateLimits.DEFAULTS;
    }
    return new RateLimits(
        number(limits, "requests_per_minute", present.requestsPerMinute()),
        number(limits, "tokens_per_minute", present.tokensPerMinute()),
        number(limits, "parallel_calls", present.parallelCalls()));
  }

  private static @Nullable Integer number(
      JsonNode limits, String field, @Nullable Integer present) {
    if (!limits.has(field)) {
      return present;
    }
    return limits.path(field).isNull() ? null : (Integer) limits.path(field).asInt();
  }

  static List<String> texts(ObjectNode body, String field, List<String> present) {
    if (!body.has(field)) {
      return present;
    }
    List<String> texts = body.path(field).valueStream().map(JsonNode::asText).distinct().toList();
    for (int i = 0; i < texts.size(); i++) {
      requireText(texts.get(i), "%s[%d]".formatted(field, i));
    }
    return texts;
  }

  /** PostgreSQL stores neither NUL nor half a character; the other controls would confuse logs. */
  private static void requireText(String text, String param) {
    if (text.codePoints()
        .anyMatch(
            it -> Character.isISOControl(it) || Character.getType(it) == Character.SURROGATE)) {
      throw invalid(
          "'%s' contains a control character or half a surrogate pair; it must be a text on one line."
              .formatted(param),
          param);
    }
  }

  private static String printable(String text) {
    return text.codePoints()
        .filter(it -> !Character.isISOControl(it) && Character.getType(it) != Character.SURROGATE)
        .limit(64)
        .collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append)
        .toString();
  }

  static ApiException invalid(String message, String param) {
    return new ApiException.InvalidRequest(message, param, "invalid_value");
  }
}
