package dev.jarvis.identity;

import dev.jarvis.storage.Sql;
import io.helidon.dbclient.DbExecute;
import java.time.Duration;
import java.util.Optional;
import java.util.function.Function;

/**
 * Users on their way out: the row stays, with a pseudonym and without rights, until nothing else
 * refers to the user.
 */
public final class ErasureStore {
  private static final String CLAIMED =
      "id, pseudonym, updated_at < now() - CAST(? AS interval) AS settled";

  private ErasureStore() {}

  /**
   * A user who is being erased, locked by the current transaction.
   *
   * @param settled whether everything that was in progress at the beginning is over
   */
  public record Erasing(String userId, String pseudonym, boolean settled) {}

  /** Ends a user's access: deletes the keys, and leaves nothing of the user but the id. */
  public static Function<DbExecute, Optional<User>> begin(String id, String pseudonym) {
    return db -> {
      var _ =
          Sql.update("delete_user_keys", "DELETE FROM api_keys WHERE user_id = ?", id).apply(db);
      return Sql.get(
              "begin_erasure",
              """
              UPDATE users SET pseudonym = ?, name = NULL, role = 'member', team_id = NULL, requests_per_minute = NULL,
                tokens_per_minute = NULL, parallel_calls = NULL, blocked_at = coalesce(blocked_at, now()), updated_at = now()
              WHERE id = ? RETURNING %s"""
                  .formatted(UserStore.COLUMNS),
              UserStore::read,
              pseudonym,
              id)
          .apply(db);
    };
  }

  /** Returns whether a user is being erased. */
  public static Function<DbExecute, Boolean> isAny() {
    return db ->
        Sql.get(
                "find_erasure",
                "SELECT id FROM users WHERE pseudonym IS NOT NULL LIMIT 1",
                it -> true)
            .apply(db)
            .isPresent();
  }

  /**
   * Locks the next user who is being erased, in the order of ids, and whom no other replica works
   * on.
   *
   * @param after the id of the previous one; empty to begin
   */
  public static Function<DbExecute, Optional<Erasing>> claimNext(String after, Duration settling) {
    return Sql.get(
        "claim_erasure",
        "SELECT %s FROM users WHERE pseudonym IS NOT NULL AND id > ? ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED"
            .formatted(CLAIMED),
        it ->
            new Erasing(
                it.column("id").getString(),
                it.column("pseudonym").getString(),
                it.column("settled").getBoolean()),
        settling.toMillis() + " milliseconds",
        after);
  }

  /** Locks a user who is being erased; empty if another replica works on it, or has ended. */
  public static Function<DbExecute, Boolean> claim(String id) {
    return db ->
        Sql.get(
                "claim_erased_user",
                "SELECT id FROM users WHERE pseudonym IS NOT NULL AND id = ? FOR UPDATE SKIP LOCKED",
                it -> true,
                id)
            .apply(db)
            .isPresent();
  }

  /** Deletes the row of a user of whom nothing else is left. */
  public static Function<DbExecute, Long> end(String id) {
    return Sql.update(
        "end_erasure", "DELETE FROM users WHERE id = ? AND pseudonym IS NOT NULL", id);
  }
}
