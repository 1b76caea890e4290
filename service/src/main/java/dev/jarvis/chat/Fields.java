package dev.jarvis.chat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jarvis.http.ApiException;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * Reads a JSON object's fields by type; null counts as absent. A wrong one is an error that names
 * the field.
 */
record Fields(ObjectNode object, String prefix) {
  Fields(ObjectNode object) {
    this(object, "");
  }

  static ApiException invalid(String param, String message, @Nullable String code) {
    return new ApiException.InvalidRequest(message, param, code);
  }

  String requiredText(String name) {
    String value = text(name);
    if (value == null || value.isEmpty()) {
      throw wrong(name, "is required: a string that is not empty");
    }
    return value;
  }

  @Nullable String text(String name) {
    JsonNode value = get(name);
    if (value == null) {
      return null;
    }
    if (!value.isTextual()) {
      throw wrong(name, "must be a string");
    }
    return value.asText();
  }

  boolean flag(String name) {
    JsonNode value = get(name);
    if (value != null && !value.isBoolean()) {
      throw wrong(name, "must be true or false");
    }
    return value != null && value.asBoolean();
  }

  OptionalDouble number(String name, int least, int most) {
    JsonNode value = get(name);
    if (value == null) {
      return OptionalDouble.empty();
    }
    if (!value.isNumber() || value.asDouble() < least || value.asDouble() > most) {
      throw wrong(name, "must be a number from %d to %d".formatted(least, most));
    }
    return OptionalDouble.of(value.asDouble());
  }

  OptionalInt positive(String name) {
    JsonNode value = get(name);
    if (value == null) {
      return OptionalInt.empty();
    }
    if (!value.isIntegralNumber() || !value.canConvertToInt() || value.asInt() < 1) {
      throw wrong(name, "must be a whole number from 1 to %d".formatted(Integer.MAX_VALUE));
    }
    return OptionalInt.of(value.asInt());
  }

  OptionalLong integer(String name) {
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
