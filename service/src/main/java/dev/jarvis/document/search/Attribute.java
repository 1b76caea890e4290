package dev.jarvis.document.search;

import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;

/** An attribute of a file that filters compare. */
enum Attribute {
  FILE_ID("'file-' || replace(CAST(d.id AS text), '-', '')", false),
  FILENAME("d.filename", false),
  MEDIA_TYPE("d.media_type", false),
  PURPOSE("d.purpose", false),
  LANGUAGE("d.language", false),
  BYTES("CAST(d.bytes AS float8)", true),
  CREATED_AT("CAST(floor(extract(epoch FROM d.created_at)) AS float8)", true);

  private final String sql;
  private final boolean number;

  Attribute(String sql, boolean number) {
    this.sql = sql;
    this.number = number;
  }

  /** The name in requests. */
  String key() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** Its value, as an expression on the table {@code documents d}. */
  String sql() {
    return sql;
  }

  /** Whether it is a number; otherwise it is a text. */
  boolean number() {
    return number;
  }

  static Optional<Attribute> of(String key) {
    return Arrays.stream(values()).filter(it -> it.key().equals(key)).findFirst();
  }

  /** The names of all, or of the numbers only. */
  static String keys(boolean numbersOnly) {
    return Arrays.stream(values())
        .filter(it -> it.number || !numbersOnly)
        .map(Attribute::key)
        .collect(Collectors.joining(", "));
  }
}
