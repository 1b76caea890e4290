package dev.jarvis.storage;

import io.helidon.dbclient.DbExecute;
import io.helidon.dbclient.DbRow;
import io.helidon.dbclient.DbStatement;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Statements for {@link Database#execute} and {@link Database#poll}. The name of a statement
 * becomes a metric's label; its parameters replace the question marks in order.
 */
public final class Sql {
  private Sql() {}

  /** Changes rows and returns how many. */
  public static Function<DbExecute, Long> update(
      String name, String sql, @Nullable Object... parameters) {
    return db -> with(db.createNamedDmlStatement(name, sql), parameters).execute();
  }

  /** Returns the row that a statement selects or changes; empty if there is none. */
  public static <T> Function<DbExecute, Optional<T>> get(
      String name, String sql, Function<DbRow, T> mapper, @Nullable Object... parameters) {
    return db -> with(db.createNamedGet(name, sql), parameters).execute().map(mapper);
  }

  /** Returns all rows of a query. */
  public static <T> Function<DbExecute, List<T>> list(
      String name, String sql, Function<DbRow, T> mapper, @Nullable Object... parameters) {
    return db -> with(db.createNamedQuery(name, sql), parameters).execute().map(mapper).toList();
  }

  /** A parameter for {@code CAST(? AS uuid[])}. */
  public static String array(List<UUID> ids) {
    return ids.stream().map(UUID::toString).collect(Collectors.joining(",", "{", "}"));
  }

  /** A parameter for {@code CAST(? AS text[])}. */
  public static String textArray(Collection<String> texts) {
    return texts.stream()
        .map(it -> "\"" + it.replace("\\", "\\\\").replace("\"", "\\\"") + "\"")
        .collect(Collectors.joining(",", "{", "}"));
  }

  private static <S extends DbStatement<S>> S with(S statement, @Nullable Object... parameters) {
    for (Object parameter : parameters) {
      statement.addParam(parameter);
    }
    return statement;
  }
}
