package dev.jarvis.identity;

import dev.jarvis.gateway.RateLimits;
import dev.jarvis.storage.Page;
import dev.jarvis.storage.Sql;
import io.helidon.dbclient.DbExecute;
import io.helidon.dbclient.DbRow;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Statements on the table {@code users}. */
public final class UserStore {
  static final String COLUMNS =
      "id, name, role, team_id, blocked_at, pseudonym, created_at, updated_at, "
          + IdentityColumns.LIMITS;

  private UserStore() {}

  /** What an administrator chooses. */
  public record Settings(
      @Nullable String name, Role role, @Nullable String teamId, RateLimits limits) {}

  /**
   * Selects users; null for any.
   *
   * @param blocked by themselves, whatever their team
   */
  public record Filter(@Nullable String teamId, @Nullable Role role, @Nullable Boolean blocked) {}

  /**
   * Waits until no other transaction changes users, teams or keys. Must be the first statement of a
   * transaction that decides by what it reads; every such change takes this lock in the end.
   */
  public static Function<DbExecute, Long> lockIdentities() {
    return db ->
        Sql.get(
                "lock_identities",
                "SELECT version FROM identity_version FOR UPDATE",
                it -> it.column("version").getLong())
            .apply(db)
            .orElseThrow();
  }

  /** Adds a user; empty if the id is taken. */
  public static Function<DbExecute, Optional<User>> insert(String id, Settings settings) {
    return Sql.get(
        "insert_user",
        "INSERT INTO users (id, name, role, team_id, %s) VALUES (?, ?, ?, ?, %s) ON CONFLICT DO NOTHING RETURNING %s"
            .formatted(IdentityColumns.LIMITS, IdentityColumns.LIMIT_VALUES, COLUMNS),
        UserStore::read,
        id,
        settings.name(),
        settings.role().id(),
        settings.teamId(),
        settings.limits().requestsPerMinute(),
        settings.limits().tokensPerMinute(),
        settings.limits().parallelCalls());
  }

  public static Function<DbExecute, Optional<User>> find(String id) {
    return Sql.get(
        "find_user", "SELECT %s FROM users WHERE id = ?".formatted(COLUMNS), UserStore::read, id);
  }

  public static Function<DbExecute, List<User>> list(Filter filter, Page page) {
    Role role = filter.role();
    return Sql.list(
        "list_users",
        """
        SELECT %s FROM users
        WHERE (CAST(? AS text) IS NULL OR team_id = ?) AND (CAST(? AS text) IS NULL OR role = ?)
          AND (CAST(? AS boolean) IS NULL OR (blocked_at IS NOT NULL) = CAST(? AS boolean)) AND %s"""
            .formatted(COLUMNS, page.sql("text")),
        UserStore::read,
        filter.teamId(),
        filter.teamId(),
        role == null ? null : role.id(),
        role == null ? null : role.id(),
        filter.blocked(),
        filter.blocked(),
        page.after(),
        page.after(),
        page.limit());
  }

  public static Function<DbExecute, Optional<User>> update(String id, Settings settings) {
    return Sql.get(
        "update_user",
        "UPDATE users SET name = ?, role = ?, team_id = ?, (%s) = (%s), updated_at = now() WHERE id = ? RETURNING %s"
            .formatted(IdentityColumns.LIMITS, IdentityColumns.LIMIT_VALUES, COLUMNS),
        UserStore::read,
        settings.name(),
        settings.role().id(),
        settings.teamId(),
        settings.limits().requestsPerMinute(),
        settings.limits().tokensPerMinute(),
        settings.limits().parallelCalls(),
        id);
  }

  /** Blocks or unblocks a user; keeps the time at which the user was blocked first. */
  public static Function<DbExecute, Optional<User>> block(String id, boolean blocked) {
    return Sql.get(
        "block_user",
        """
        UPDATE users SET blocked_at = CASE WHEN CAST(? AS boolean) THEN coalesce(blocked_at, now()) END, updated_at = now()
        WHERE id = ? RETURNING %s"""
            .formatted(COLUMNS),
        UserStore::read,
        blocked,
        id);
  }

  static User read(DbRow row) {
    return new User(
        row.column("id").getString(),
        IdentityColumns.text(row, "name"),
        Role.valueOf(row.column("role").getString().toUpperCase(Locale.ROOT)),
        IdentityColumns.text(row, "team_id"),
        IdentityColumns.limits(row),
        IdentityColumns.time(row, "blocked_at"),
        IdentityColumns.text(row, "pseudonym"),
        IdentityColumns.instant(row, "created_at"),
        IdentityColumns.instant(row, "updated_at"));
  }
}
