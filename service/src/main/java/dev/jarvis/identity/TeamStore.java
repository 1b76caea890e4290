package dev.jarvis.identity;

import dev.jarvis.gateway.RateLimits;
import dev.jarvis.storage.Page;
import dev.jarvis.storage.Sql;
import io.helidon.dbclient.DbExecute;
import io.helidon.dbclient.DbRow;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Statements on the table {@code teams}. */
public final class TeamStore {
  private static final String COLUMNS =
      "id, name, blocked_at, created_at, updated_at, " + IdentityColumns.LIMITS;

  private TeamStore() {}

  /** Adds a team; empty if the id is taken. */
  public static Function<DbExecute, Optional<Team>> insert(
      String id, @Nullable String name, RateLimits limits) {
    return Sql.get(
        "insert_team",
        "INSERT INTO teams (id, name, %s) VALUES (?, ?, %s) ON CONFLICT DO NOTHING RETURNING %s"
            .formatted(IdentityColumns.LIMITS, IdentityColumns.LIMIT_VALUES, COLUMNS),
        TeamStore::read,
        id,
        name,
        limits.requestsPerMinute(),
        limits.tokensPerMinute(),
        limits.parallelCalls());
  }

  public static Function<DbExecute, Optional<Team>> find(String id) {
    return Sql.get(
        "find_team", "SELECT %s FROM teams WHERE id = ?".formatted(COLUMNS), TeamStore::read, id);
  }

  public static Function<DbExecute, List<Team>> list(Page page) {
    return Sql.list(
        "list_teams",
        "SELECT %s FROM teams WHERE %s".formatted(COLUMNS, page.sql("text")),
        TeamStore::read,
        page.after(),
        page.after(),
        page.limit());
  }

  /** Changes name and limits. */
  public static Function<DbExecute, Optional<Team>> update(
      String id, @Nullable String name, RateLimits limits) {
    return Sql.get(
        "update_team",
        "UPDATE teams SET name = ?, (%s) = (%s), updated_at = now() WHERE id = ? RETURNING %s"
            .formatted(IdentityColumns.LIMITS, IdentityColumns.LIMIT_VALUES, COLUMNS),
        TeamStore::read,
        name,
        limits.requestsPerMinute(),
        limits.tokensPerMinute(),
        limits.parallelCalls(),
        id);
  }

  /** Blocks or unblocks the users of a team; keeps the time at which it was blocked first. */
  public static Function<DbExecute, Optional<Team>> block(String id, boolean blocked) {
    return Sql.get(
        "block_team",
        """
        UPDATE teams SET blocked_at = CASE WHEN CAST(? AS boolean) THEN coalesce(blocked_at, now()) END, updated_at = now()
        WHERE id = ? RETURNING %s"""
            .formatted(COLUMNS),
        TeamStore::read,
        blocked,
        id);
  }

  public static Function<DbExecute, Long> delete(String id) {
    return Sql.update("delete_team", "DELETE FROM teams WHERE id = ?", id);
  }

  /** Returns how many users are in a team. */
  public static Function<DbExecute, Long> users(String id) {
    return db ->
        Sql.get(
                "count_team_users",
                "SELECT count(*) AS n FROM users WHERE team_id = ?",
                it -> it.column("n").getLong(),
                id)
            .apply(db)
            .orElseThrow();
  }

  private static Team read(DbRow row) {
    return new Team(
        row.column("id").getString(),
        IdentityColumns.text(row, "name"),
        IdentityColumns.limits(row),
        IdentityColumns.time(row, "blocked_at"),
        IdentityColumns.instant(row, "created_at"),
        IdentityColumns.instant(row, "updated_at"));
  }
}
