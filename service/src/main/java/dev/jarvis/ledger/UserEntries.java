package dev.jarvis.ledger;

import dev.jarvis.storage.Sql;
import io.helidon.dbclient.DbExecute;
import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Statements on the rows of one user in the table {@code llm_requests}: export and erasure. */
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
        "list_user_llm_requests",
        """
        SELECT CAST(created_at AS text) AS created_at, CAST(id AS text) AS id, CAST(to_jsonb(r) AS text) AS json FROM llm_requests r
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
    return Sql.update(
        "pseudonymise_llm_requests",
        """
        UPDATE llm_requests r SET user_id = ?, end_user = NULL, request_id = 'erased'
        FROM (SELECT id, created_at FROM llm_requests WHERE user_id = ? LIMIT ?) found
        WHERE r.id = found.id AND r.created_at = found.created_at""",
        pseudonym,
        userId,
        limit);
  }
}
