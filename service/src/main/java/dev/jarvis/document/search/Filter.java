package dev.jarvis.document.search;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/**
 * A condition on the attributes of files.
 *
 * @param sql on the table {@code documents d}; never null for a file, whichever attributes it has
 * @param parameters of the SQL
 */
record Filter(String sql, List<Object> parameters) {
  /** Lets all files pass. */
  static final Filter NONE = new Filter("true", List.of());

  /** How an attribute is compared with a value: OpenAI's names. */
  enum Comparison {
    EQ("="),
    NE("<>"),
    GT(">"),
    GTE(">="),
    LT("<"),
    LTE("<="),
    IN("="),
    NIN("<>");

    private final String operator;

    Comparison(String operator) {
      this.operator = operator;
    }

    boolean ofLists() {
      return this == IN || this == NIN;
    }

    boolean ofNumbers() {
      return this == GT || this == GTE || this == LT || this == LTE;
    }

    /** Whether a file without the attribute passes. */
    private boolean passesNull() {
      return this == NE || this == NIN;
    }
  }

  /**
   * Compares an attribute.
   *
   * @param values texts or doubles, one unless the comparison is of lists
   */
  static Filter of(Attribute attribute, Comparison comparison, List<Object> values) {
    String type = attribute.number() ? "float8" : "text";
    String marks =
        values.stream()
            .map(it -> "CAST(? AS %s)".formatted(type))
            .collect(Collectors.joining(", "));
    String value =
        comparison.ofLists()
            ? "%s (ARRAY[%s])".formatted(comparison == Comparison.IN ? "ANY" : "ALL", marks)
            : marks;
    String sql =
        "coalesce(%s %s %s, %s)"
            .formatted(attribute.sql(), comparison.operator, value, comparison.passesNull());
    return new Filter(sql, values);
  }

  /** Joins conditions with {@code AND} or {@code OR}. */
  static Filter joined(String operator, List<Filter> filters) {
    List<Object> parameters = new ArrayList<>();
    filters.forEach(it -> parameters.addAll(it.parameters));
    return new Filter(
        filters.stream()
            .map(Filter::sql)
            .collect(Collectors.joining(" " + operator + " ", "(", ")")),
        parameters);
  }
}
