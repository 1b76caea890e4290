package dev.jarvis.storage;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.StringJoiner;
import javax.sql.DataSource;

/** Names the sessions whose long transactions lock the tables of the schema. */
final class LockHolders {
  /** The start of another user's transaction is visible to {@code pg_read_all_stats} only. */
  private static final String QUERY =
      """
      SELECT string_agg(DISTINCT c.relname, ', ' ORDER BY c.relname) AS tables, a.pid, a.application_name, a.state
      FROM pg_locks l JOIN pg_class c ON c.oid = l.relation JOIN pg_stat_activity a ON a.pid = l.pid
      WHERE l.granted AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
        AND c.relnamespace = CAST(current_schema() AS regnamespace) AND c.relkind IN ('r', 'p')
        AND l.pid <> pg_backend_pid() AND coalesce(a.xact_start < now() - CAST(? AS interval), true)
      GROUP BY a.pid, a.application_name, a.state, a.xact_start ORDER BY a.xact_start NULLS LAST LIMIT 5""";

  private LockHolders() {}

  /**
   * Returns a description for people, such as {@code documents by session 4711 (psql, idle in
   * transaction)}.
   *
   * @param longerThan how long a transaction must have lasted
   */
  static String describe(DataSource source, Duration longerThan) {
    StringJoiner holders = new StringJoiner("; ");
    holders.setEmptyValue("unknown, because no transaction holds a lock any more");
    try (Connection connection = source.getConnection();
        PreparedStatement statement = connection.prepareStatement(QUERY)) {
      statement.setString(1, longerThan.toMillis() + " milliseconds");
      try (ResultSet row = statement.executeQuery()) {
        while (row.next()) {
          holders.add(
              "%s by session %d (%s, %s)"
                  .formatted(
                      row.getString("tables"),
                      row.getInt("pid"),
                      row.getString("application_name"),
                      row.getString("state")));
        }
      }
    } catch (SQLException e) {
      return "unknown: " + e.getMessage();
    }
    return holders.toString();
  }
}
