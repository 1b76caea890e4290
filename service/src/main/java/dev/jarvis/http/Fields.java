package dev.jarvis.http;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jarvis.error.ApiException;
import java.util.List;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * Reads a JSON object's fields by type; null counts as absent. A wrong one is an error that names
 * the field.
 */
public record Fields(ObjectNode object, String prefix) {
  private static final int MAX_USER_LENGTH = 256;

  public Fields(ObjectNode object) {
    this(object, "");
  }

  /** The fields of an object; anything else is an error. */
  public static Fields of(JsonNode node, String at) {
    if (!(node instanceof ObjectNode object)) {
      throw invalid(at, "'%s' must be an object.".formatted(at), "invalid_type");
    }
    return new Fields(object, at + ".");
  }

  public static ApiException invalid(String param, String message, @Nullable String code) {
    return new ApiException.InvalidRequest(message, param, code);
  }

  public String requiredText(String name) {
    String value = text(name);
    if (value == null || value.isEmpty()) {
      throw wrong(name, "is required: a string that is not empty");
    }
    return value;
  }

  public @Nullable String text(String name) {
    JsonNode value = get(name);
    if (value == null) {
      return null;
    }
    if (!value.isTextual()) {
      throw wrong(name, "must be a string");
    }
    return value.asText();
  }

  /** OpenAI's field {@code user}: the end user; null if absent or blank. */
  public @Nullable String user() {
    String user = text("user");
    if (user != null && user.length() > MAX_USER_LENGTH) {
      throw wrong("user", "has at most %d characters".formatted(MAX_USER_LENGTH));
    }
    return user == null || user.isBlank() ? null : user;
  }

  public boolean flag(String name) {
    JsonNode value = get(name);
    if (value != null && !value.isBoolean()) {
      throw wrong(name, "must be true or false");
    }
    return value != null && value.asBoolean();
  }

  public OptionalDouble number(String name, int least, int most) {
    JsonNode value = get(name);
    if (value == null) {
      return OptionalDouble.empty();
    }
    if (!value.isNumber() || value.asDouble() < least || value.asDouble() > most) {
      throw wrong(name, "must be a number from %d to %d".formatted(least, most));
    }
    return OptionalDouble.of(value.asDouble());
  }

  public OptionalInt whole(String name, int least, int most) {
    JsonNode value = get(name);
    if (value == null) {
      return OptionalInt.empty();
    }
    if (!value.isIntegralNumber()
        || !value.canConvertToInt()
        || value.asInt() < least
        || value.asInt() > most) {
      throw wrong(name, "must be a whole number from %d to %d".formatted(least, most));
    }
    return OptionalInt.of(value.asInt());
  }

  /** One of the allowed words; null if absent. */
  public @Nullable String word(String name, String... allowed) {
    String value = text(name);
    if (value != null && !List.of(allowed).contains(value)) {
      throw wrong(name, "must be one of " + String.join(", ", allowed));
    }
    return value;
  }

  public @Nullable JsonNode array(String name) {
    JsonNode value = get(name);
    if (value != null && !value.isArray()) {
      throw wrong(name, "must be an array");
    }
    return value;
  }

  public @Nullable Fields inner(String name) {
    JsonNode value = get(name);
    return value == null ? null : of(value, prefix + name);
  }

  public OptionalLong integer(String name) {
    JsonNode value = get(name);
    if (value == null) {
      return OptionalLong.empty();
    }
    if (!value.isIntegralNumber() || !value.canConvertToLong()) {
      throw wrong(name, "must be a whole number of 64 bits");
    }
    return OptionalLong.of(value.asLong());
  }

  private @Nullable JsonNode get(String name) {
    JsonNode value = object.get(name);
    return value == null || value.isNull() ? null : value;
  }

  private ApiException wrong(String name, String rule) {
    return invalid(prefix + name, "'%s%s' %s.".formatted(prefix, name, rule), "invalid_type");
  }
}
