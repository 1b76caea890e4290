package dev.jarvis.ledger;

import dev.jarvis.storage.Sql;
import io.helidon.dbclient.DbExecute;
import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Statements on the ledger entries of one user, with their attempts: export and erasure. */
public final class UserEntries {
  private UserEntries() {}

  /**
   * A row.
   *
   * @param createdAt as PostgreSQL writes it
   * @param json an object with all columns
   */
  public record Entry(String createdAt, String id, String json) {}

  /**
   * Returns a page of rows, the oldest first.
   *
   * @param after the last row of the previous page; null for the first page
   */
  public static Function<DbExecute, List<Entry>> list(
      String userId, @Nullable Entry after, int limit) {
    return Sql.list(
        "list_user_ledger_entries",
        """
        SELECT CAST(created_at AS text) AS created_at, CAST(id AS text) AS id,
          CAST(to_jsonb(r) || jsonb_build_object('attempts', (
            SELECT coalesce(jsonb_agg(to_jsonb(a) - 'call_id' - 'created_at' ORDER BY a.number), CAST('[]' AS jsonb))
            FROM ledger_attempts a WHERE a.call_id = r.id AND a.created_at = r.created_at)) AS text) AS json
        FROM ledger_entries r
        WHERE user_id = ? AND (CAST(? AS text) IS NULL OR (r.created_at, r.id) > (CAST(? AS timestamptz), CAST(? AS uuid)))
        ORDER BY r.created_at, r.id LIMIT ?""",
        it ->
            new Entry(
                it.column("created_at").getString(),
                it.column("id").getString(),
                it.column("json").getString()),
        userId,
        after == null ? null : after.id(),
        after == null ? null : after.createdAt(),
        after == null ? null : after.id(),
        limit);
  }

  /**
   * Replaces a user by a pseudonym, in a number of rows, without what the user's requests chose:
   * the end user and the id.
   *
   * @return in how many; fewer than the limit if none is left
   */
  public static Function<DbExecute, Long> pseudonymise(String userId, String pseudonym, int limit) {
    return db -> {
      long entries =
          Sql.update(
                  "pseudonymise_ledger_entries",
                  """
                  UPDATE ledger_entries r SET user_id = ?, end_user = NULL, request_id = 'erased'
                  FROM (SELECT id, created_at FROM ledger_entries WHERE user_id = ? LIMIT ?) found
                  WHERE r.id = found.id AND r.created_at = found.created_at""",
                  pseudonym,
                  userId,
                  limit)
              .apply(db);
      return entries > 0 ? entries : pseudonymiseTotals(userId, pseudonym).apply(db);
    };
  }

  /** The totals of entries that are gone; the others follow their entries. */
  private static Function<DbExecute, Long> pseudonymiseTotals(String userId, String pseudonym) {
    return Sql.update(
        "pseudonymise_ledger_totals",
        """
        WITH moved AS (DELETE FROM ledger_totals WHERE scope = 'user' AND scope_id = ? RETURNING *)
        INSERT INTO ledger_totals AS t (scope, scope_id, day, calls, input_tokens, output_tokens, cost_usd)
          SELECT scope, ?, day, calls, input_tokens, output_tokens, cost_usd FROM moved ORDER BY day
        ON CONFLICT (scope, scope_id, day) DO UPDATE SET calls = t.calls + excluded.calls,
          input_tokens = t.input_tokens + excluded.input_tokens, output_tokens = t.output_tokens + excluded.output_tokens,
          cost_usd = t.cost_usd + excluded.cost_usd""",
        userId,
        pseudonym);
  }
}
