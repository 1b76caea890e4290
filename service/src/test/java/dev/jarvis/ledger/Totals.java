package dev.jarvis.ledger;

import static org.assertj.core.api.Assertions.assertThat;

import dev.jarvis.storage.embedded.TestDatabase;
import java.sql.SQLException;

/** The totals of the ledger, compared with its entries. */
final class Totals {
  /** Rows that only one side has: none while no partition was dropped. */
  private static final String DIFFERENCE =
      """
      WITH summed AS (
        SELECT s.scope, s.id AS scope_id, e.day, count(*) AS calls,
          sum(input_tokens + cached_input_tokens + cache_write_tokens + audio_input_tokens) AS input_tokens,
          sum(output_tokens + reasoning_tokens + audio_output_tokens) AS output_tokens, sum(coalesce(cost_usd, 0)) AS cost_usd
        FROM ledger_entries e CROSS JOIN LATERAL
          (VALUES ('all', ''), ('team', e.team_id), ('user', e.user_id), ('key', e.key_id)) AS s (scope, id)
        WHERE s.id IS NOT NULL GROUP BY 1, 2, 3),
      totals AS (SELECT * FROM ledger_totals)
      (SELECT 'not in the totals' AS side, * FROM summed EXCEPT SELECT 'not in the totals', * FROM totals)
      UNION ALL (SELECT 'not in the entries', * FROM totals EXCEPT SELECT 'not in the entries', * FROM summed)""";

  private Totals() {}

  static void check(TestDatabase database) throws SQLException {
    assertThat(database.rows(DIFFERENCE)).isEmpty();
  }
}
