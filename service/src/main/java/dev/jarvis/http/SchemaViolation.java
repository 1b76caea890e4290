package dev.jarvis.http;

import static java.util.stream.Collectors.joining;

import com.fasterxml.jackson.databind.JsonNode;
import com.networknt.schema.Error;
import com.networknt.schema.path.NodePath;
import dev.jarvis.error.ApiException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What is wrong with a field, in our words. A schema may replace the words and the code for its
 * keywords other than {@code type} and {@code required}, by {@link #MESSAGE} and {@link #CODE}.
 *
 * @param param the field, such as {@code messages[0].content}
 * @param problem continues {@code 'param' }
 */
record SchemaViolation(String param, String problem, String code) {
  /** What follows the name of the field; <code>{value}</code> stands for its value. */
  static final String MESSAGE = "x-error";

  /** The error's code. */
  static final String CODE = "x-code";

  private static final int MAX_SHOWN = 40;

  /** The violation that the library found. */
  static SchemaViolation of(Error error, JsonNode schema) {
    String param = param(error);
    JsonNode value = error.getInstanceNode();
    JsonNode rule = error.getSchemaNode();
    JsonNode keywords = parent(error.getSchemaLocation().getFragment(), schema);
    return switch (error.getKeyword()) {
      case "type" -> new SchemaViolation(param, expected(value, types(rule)), "invalid_type");
      case "required" -> new SchemaViolation(param, "is missing", "missing_required_parameter");
      case "additionalProperties" ->
          new SchemaViolation(
              param,
              "is not a field of it; allowed are " + names(keywords.path("properties")),
              "unknown_parameter");
      default ->
          new SchemaViolation(
              param,
              keywords.has(MESSAGE)
                  ? keywords.path(MESSAGE).asText().replace("{value}", shown(value))
                  : problem(error.getKeyword(), value, rule),
              keywords.path(CODE).asText("invalid_value"));
    };
  }

  ApiException toException() {
    return new ApiException.InvalidRequest("'%s' %s.".formatted(param, problem), param, code);
  }

  private static String problem(String keyword, JsonNode value, JsonNode rule) {
    return switch (keyword) {
      case "const" -> expected(value, shown(rule));
      case "enum" -> "is %s; allowed are %s".formatted(shown(value), values(rule));
      case "minimum" -> "is %s; the minimum is %s".formatted(shown(value), shown(rule));
      case "maximum" -> "is %s; the maximum is %s".formatted(shown(value), shown(rule));
      case "minItems" -> tooFew(value.size(), "item", rule.asInt());
      case "maxItems" -> tooMany(value.size(), "item", rule.asInt());
      case "minLength" -> tooFew(length(value), "character", rule.asInt());
      case "maxLength" -> tooMany(length(value), "character", rule.asInt());
      default -> "is not valid";
    };
  }

  private static String expected(JsonNode value, String allowed) {
    return "is %s; it must be %s".formatted(shown(value), allowed);
  }

  private static String tooFew(int count, String unit, int minimum) {
    return "%s; the minimum is %s".formatted(has(count, unit), number(minimum, unit));
  }

  private static String tooMany(int count, String unit, int maximum) {
    return "%s; the maximum is %d".formatted(has(count, unit), maximum);
  }

  private static String has(int count, String unit) {
    return count == 0 ? "is empty" : "has " + number(count, unit);
  }

  private static String number(int count, String unit) {
    return count == 1 ? "1 " + unit : "%d %ss".formatted(count, unit);
  }

  private static int length(JsonNode value) {
    String text = value.asText();
    return text.codePointCount(0, text.length());
  }

  /** The field in OpenAI's notation; the missing or unknown one if there is one. */
  private static String param(Error error) {
    NodePath path = error.getInstanceLocation();
    StringBuilder param = new StringBuilder();
    for (int i = 0; i < path.getNameCount(); i++) {
      append(param, path.getElement(i));
    }
    if (error.getKeyword().equals("required")
        || error.getKeyword().equals("additionalProperties")) {
      append(param, error.getProperty());
    }
    return param.toString();
  }

  private static void append(StringBuilder param, Object step) {
    if (step instanceof Number index) {
      param.append('[').append(index).append(']');
    } else {
      param.append(param.isEmpty() ? "" : ".").append(step);
    }
  }

  /** The object that has the keyword. */
  private static JsonNode parent(@Nullable NodePath keyword, JsonNode schema) {
    JsonNode node = schema;
    for (int i = 0; keyword != null && i < keyword.getNameCount() - 1; i++) {
      Object step = keyword.getElement(i);
      node = step instanceof Number n ? node.path(n.intValue()) : node.path(step.toString());
    }
    return node;
  }

  private static String shown(JsonNode value) {
    return switch (value.getNodeType()) {
      case STRING -> "'" + cut(value.textValue()) + "'";
      case ARRAY -> "an array";
      case OBJECT -> "an object";
      default -> cut(value.asText());
    };
  }

  private static String cut(String text) {
    return text.codePointCount(0, text.length()) <= MAX_SHOWN
        ? text
        : text.substring(0, text.offsetByCodePoints(0, MAX_SHOWN)) + "…";
  }

  /** The allowed values; null counts as absent, so it is left out. */
  private static String values(JsonNode rule) {
    List<String> values = new ArrayList<>();
    rule.forEach(it -> values.add(it.isNull() ? "" : shown(it)));
    values.removeIf(String::isEmpty);
    return String.join(", ", values);
  }

  private static String names(JsonNode properties) {
    return properties.propertyStream().map(it -> "'" + it.getKey() + "'").collect(joining(", "));
  }

  private static String types(JsonNode rule) {
    List<String> types = new ArrayList<>();
    for (JsonNode type : rule.isArray() ? rule : List.of(rule)) {
      if (!type.asText().equals("null")) {
        types.add(type(type.asText()));
      }
    }
    return String.join(" or ", types);
  }

  private static String type(String name) {
    return switch (name) {
      case "integer" -> "a whole number";
      case "boolean" -> "true or false";
      case "array", "object" -> "an " + name;
      default -> "a " + name;
    };
  }
}
