package dev.jarvis.document.search;

import com.fasterxml.jackson.databind.JsonNode;
import dev.jarvis.document.search.Filter.Comparison;
import dev.jarvis.error.ApiException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * Reads the {@code filters} of a search, as <a
 * href="https://platform.openai.com/docs/api-reference/vector-stores/search">OpenAI documents
 * them</a>: comparisons of an attribute with a value, and compounds of filters.
 */
final class FilterReader {
  private static final int MAX_DEPTH = 5;
  private static final int MAX_COMPARISONS = 100;
  private static final int MAX_VALUES = 100;
  private static final int MAX_VALUE_CHARS = 512;
  private static final String TYPES =
      Arrays.stream(Comparison.values()).map(FilterReader::name).collect(Collectors.joining(", "));

  private int comparisons;

  private FilterReader() {}

  /**
   * Reads the field {@code filters} of a request or of its grounding.
   *
   * @param param the path of the field, for errors
   * @throws ApiException.InvalidRequest naming what is wrong and what is allowed
   */
  static Filter read(JsonNode filters, String param) {
    return filters.isMissingNode() || filters.isNull()
        ? Filter.NONE
        : new FilterReader().filter(filters, param, 1);
  }

  private Filter filter(JsonNode json, String param, int depth) {
    if (!json.isObject()) {
      throw invalid(param, "must be a filter: an object with 'type'");
    }
    if (depth > MAX_DEPTH) {
      throw invalid(param, "is nested too deeply; the maximum is %d levels".formatted(MAX_DEPTH));
    }
    String type = json.path("type").asText();
    if (type.equals("and") || type.equals("or")) {
      return compound(type, json, param, depth);
    }
    Optional<Comparison> comparison =
        Arrays.stream(Comparison.values()).filter(it -> name(it).equals(type)).findFirst();
    if (comparison.isEmpty()) {
      throw invalid(
          param + ".type",
          "is %s; it must be one of %s, and, or".formatted(json.path("type"), TYPES));
    }
    if (++comparisons > MAX_COMPARISONS) {
      throw invalid(param, "is one comparison too many; the maximum is " + MAX_COMPARISONS);
    }
    requireOnly(json, List.of("type", "key", "value"), param);
    return comparison(comparison.get(), json, param);
  }

  private static String name(Comparison comparison) {
    return comparison.name().toLowerCase(Locale.ROOT);
  }

  private static void requireOnly(JsonNode json, List<String> fields, String param) {
    json.fieldNames()
        .forEachRemaining(
            it -> {
              if (!fields.contains(it)) {
                throw invalid(
                    param + "." + it,
                    "is unknown; this filter has the fields " + String.join(", ", fields));
              }
            });
  }

  private Filter compound(String type, JsonNode json, String param, int depth) {
    requireOnly(json, List.of("type", "filters"), param);
    JsonNode filters = json.path("filters");
    if (!filters.isArray() || filters.isEmpty()) {
      throw invalid(param + ".filters", "must be a list of one or more filters");
    }
    List<Filter> read = new ArrayList<>();
    for (int i = 0; i < filters.size(); i++) {
      read.add(filter(filters.path(i), "%s.filters[%d]".formatted(param, i), depth + 1));
    }
    return Filter.joined(type.toUpperCase(Locale.ROOT), read);
  }

  private static Filter comparison(Comparison comparison, JsonNode json, String param) {
    Optional<Attribute> attribute = Attribute.of(json.path("key").asText());
    if (attribute.isEmpty()) {
      throw invalid(
          param + ".key",
          "is %s; it must be one of %s"
              .formatted(json.has("key") ? json.path("key") : "missing", Attribute.keys(false)));
    }
    if (comparison.ofNumbers() && !attribute.get().number()) {
      throw invalid(
          param + ".type",
          "is '%s', which compares numbers: %s. For '%s' it must be one of eq, ne, in, nin"
              .formatted(name(comparison), Attribute.keys(true), attribute.get().key()));
    }
    JsonNode value = json.path("value");
    if (!comparison.ofLists()) {
      return Filter.of(
          attribute.get(), comparison, List.of(value(attribute.get(), value, param + ".value")));
    }
    if (!value.isArray() || value.isEmpty() || value.size() > MAX_VALUES) {
      throw invalid(
          param + ".value",
          "must be a list of 1 to %d values for the type '%s'"
              .formatted(MAX_VALUES, name(comparison)));
    }
    List<Object> values = new ArrayList<>();
    for (int i = 0; i < value.size(); i++) {
      values.add(value(attribute.get(), value.path(i), "%s.value[%d]".formatted(param, i)));
    }
    return Filter.of(attribute.get(), comparison, values);
  }

  private static Object value(Attribute attribute, JsonNode value, String param) {
    if (attribute.number()) {
      if (!value.isNumber() || Double.isInfinite(value.asDouble())) {
        throw invalid(param, "must be a number, as '%s' is".formatted(attribute.key()));
      }
      return value.asDouble();
    }
    if (!value.isTextual() || value.asText().length() > MAX_VALUE_CHARS) {
      throw invalid(
          param,
          "must be a string of at most %d characters, as '%s' is"
              .formatted(MAX_VALUE_CHARS, attribute.key()));
    }
    if (value
        .asText()
        .codePoints()
        .anyMatch(it -> it == 0 || Character.getType(it) == Character.SURROGATE)) {
      throw invalid(param, "has a character that is not allowed in text");
    }
    return value.asText();
  }

  private static ApiException invalid(String param, String problem) {
    return new ApiException.InvalidRequest(
        "'%s' %s.".formatted(param, problem), param, "invalid_value");
  }
}
