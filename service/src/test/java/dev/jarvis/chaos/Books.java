package dev.jarvis.chaos;

import java.math.BigDecimal;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * What the database says of all calls, in one snapshot.
 *
 * @param totals by scope and id, such as {@code team/a}, over all days
 */
record Books(List<Entry> entries, Map<String, Sum> totals) {
  /** A sum over calls. */
  record Sum(long calls, long input, long output, BigDecimal cost) {
    static final Sum NONE = new Sum(0, 0, 0, BigDecimal.ZERO);

    Sum plus(Entry entry) {
      return new Sum(
          calls + 1, input + entry.input(), output + entry.output(), cost.add(entry.cost()));
    }

    boolean equalTo(Sum other) {
      return calls == other.calls
          && input == other.input
          && output == other.output
          && cost.compareTo(other.cost) == 0;
    }
  }

  private static final String ENTRIES =
      """
      SELECT request_id, rank, estimated, outcome, user_id, coalesce(team_id, '') AS team, input_tokens,
        output_tokens, coalesce(cost_usd, 0) AS cost FROM ledger_entries""";

  private static final String TOTALS =
      """
      SELECT scope, scope_id, sum(calls) AS calls, sum(input_tokens) AS input, sum(output_tokens) AS output,
        sum(cost_usd) AS cost FROM ledger_totals GROUP BY scope, scope_id""";

  static Books read(PostgresNode postgres) {
    try (Connection connection = postgres.connect()) {
      connection.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ);
      connection.setAutoCommit(false);
      return new Books(entries(connection), totals(connection));
    } catch (SQLException e) {
      throw new AssertionError("the ledger cannot be read", e);
    }
  }

  private static List<Entry> entries(Connection connection) throws SQLException {
    List<Entry> entries = new ArrayList<>();
    try (Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery(ENTRIES)) {
      while (row.next()) {
        entries.add(
            new Entry(
                row.getString("request_id"),
                row.getInt("rank"),
                row.getBoolean("estimated"),
                row.getString("outcome"),
                row.getString("user_id"),
                row.getString("team"),
                row.getLong("input_tokens"),
                row.getLong("output_tokens"),
                row.getBigDecimal("cost")));
      }
    }
    return entries;
  }

  private static Map<String, Sum> totals(Connection connection) throws SQLException {
    Map<String, Sum> totals = new HashMap<>();
    try (Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery(TOTALS)) {
      while (row.next()) {
        totals.put(
            row.getString("scope") + "/" + row.getString("scope_id"),
            new Sum(
                row.getLong("calls"),
                row.getLong("input"),
                row.getLong("output"),
                row.getBigDecimal("cost")));
      }
    }
    return totals;
  }
}
