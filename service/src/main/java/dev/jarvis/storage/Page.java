package dev.jarvis.storage;

import org.jspecify.annotations.Nullable;

/**
 * A page of a list that is ordered by ids.
 *
 * @param after the last id of the previous page; null for the first page
 * @param limit maximum number of rows
 */
public record Page(@Nullable String after, boolean ascending, int limit) {
  /**
   * The end of a query whose last condition this is; takes the parameters {@code after} twice and
   * {@code limit}.
   *
   * @param type of the column {@code id}
   */
  public String sql(String type) {
    return "(CAST(? AS %s) IS NULL OR id %s CAST(? AS %s)) ORDER BY id %s LIMIT ?"
        .formatted(type, ascending ? ">" : "<", type, ascending ? "ASC" : "DESC");
  }
}
