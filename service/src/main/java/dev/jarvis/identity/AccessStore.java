package dev.jarvis.identity;

import dev.jarvis.storage.Sql;
import io.helidon.dbclient.DbExecute;
import java.util.Set;
import java.util.UUID;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Statements on who may administer, by what is committed. */
public final class AccessStore {
  /** Whether the key {@code k} is valid and may be used to administer, by PostgreSQL's clock. */
  private static final String OPENS =
      """
      k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > now())
            AND (cardinality(k.permissions) = 0 OR 'admin' = ANY (k.permissions))""";

  private AccessStore() {}

  /**
   * Returns how many administrators have access: neither they nor their teams are blocked, and they
   * have a key that may be used to administer.
   *
   * @param configured users who have such a key in the configuration
   * @param tokens whether a user may have access without a key
   */
  public static Function<DbExecute, Long> administrators(Set<String> configured, boolean tokens) {
    return db ->
        Sql.get(
                "count_administrators",
                """
                SELECT count(*) AS n FROM users LEFT JOIN teams ON teams.id = users.team_id
                WHERE users.role = 'admin' AND users.blocked_at IS NULL AND users.pseudonym IS NULL
                  AND teams.blocked_at IS NULL
                  AND (CAST(? AS boolean) OR users.id = ANY (CAST(? AS text[]))
                    OR EXISTS (SELECT FROM api_keys k WHERE k.user_id = users.id AND %s))"""
                    .formatted(OPENS),
                it -> it.column("n").getLong(),
                tokens,
                Sql.textArray(configured))
            .apply(db)
            .orElseThrow();
  }

  /**
   * Who acts.
   *
   * @param key the key in use; null for a key of the configuration or a token
   * @param token whether a token is in use: then the team is the one given here
   * @param tokenRole whether the token said the role
   */
  public record Actor(
      String userId,
      @Nullable UUID key,
      @Nullable String teamId,
      boolean token,
      boolean tokenRole) {}

  /** Returns whether somebody who was an administrator still is one, with the same key. */
  public static Function<DbExecute, Boolean> mayAdminister(Actor actor) {
    return db ->
        Sql.get(
                "find_actor",
                """
                SELECT u.id FROM users u
                WHERE u.id = ? AND u.blocked_at IS NULL AND u.pseudonym IS NULL
                  AND (CAST(? AS boolean) OR u.role = 'admin')
                  AND NOT EXISTS (SELECT FROM teams t WHERE t.blocked_at IS NOT NULL
                    AND t.id = CASE WHEN CAST(? AS boolean) THEN CAST(? AS text) ELSE u.team_id END)
                  AND (CAST(? AS uuid) IS NULL
                    OR EXISTS (SELECT FROM api_keys k WHERE k.id = CAST(? AS uuid) AND k.user_id = u.id AND %s))"""
                    .formatted(OPENS),
                it -> true,
                actor.userId(),
                actor.tokenRole(),
                actor.token(),
                actor.teamId(),
                actor.key(),
                actor.key())
            .apply(db)
            .isPresent();
  }
}
