package dev.jarvis.identity;

import com.fasterxml.jackson.databind.JsonNode;
import dev.jarvis.storage.Page;
import dev.jarvis.storage.Sql;
import io.helidon.dbclient.DbExecute;
import io.helidon.dbclient.DbRow;
import java.time.Instant;
import java.util.List;
import java.util.UUID;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Statements on the table {@code admin_audit}: what administrators did. */
public final class AuditLog {
  private static final String COLUMNS =
      """
      id, at, actor, actor_key, address, request_id, action, target_type, target_id, user_id,
      CAST(before AS text) AS before, CAST(after AS text) AS after""";

  /**
   * Leaves of an object of the API what does not identify the user; takes the pseudonym three
   * times.
   */
  private static final String WITHOUT_USER =
      """
      %1$s = CASE WHEN %1$s IS NULL OR user_id IS DISTINCT FROM CAST(? AS text) THEN %1$s
        WHEN target_type = 'user' THEN %1$s || jsonb_build_object('id', CAST(? AS text), 'name', NULL)
        WHEN target_type = 'budget' THEN %1$s || jsonb_build_object('scope_id', CAST(? AS text))
        ELSE %1$s || jsonb_build_object('user_id', CAST(? AS text), 'name', NULL, 'addresses', jsonb_build_array()) END""";

  private AuditLog() {}

  /**
   * Who acts, and from where.
   *
   * @param userId of the administrator
   * @param keyId of the key that the administrator used
   */
  public record Actor(String userId, String keyId, String address, String requestId) {}

  /**
   * What was changed.
   *
   * @param type {@code user}, {@code team} or {@code key}
   * @param userId the user that the action concerns: the target or the owner of the key; null for a
   *     team
   */
  public record Target(String type, String id, @Nullable String userId) {}

  /**
   * An action.
   *
   * @param id UUIDv7: its order is the order of the actions
   * @param before the object as the API shows it; null if it was created or did not change
   * @param after likewise; null if it was deleted or did not change
   */
  public record Entry(
      UUID id,
      Instant at,
      Actor actor,
      String action,
      Target target,
      @Nullable JsonNode before,
      @Nullable JsonNode after) {}

  /** Selects entries; null for any. */
  public record Filter(
      @Nullable String actor,
      @Nullable String targetType,
      @Nullable String targetId,
      @Nullable String action) {}

  /** Adds an entry; its time is the present one. */
  public static Function<DbExecute, Long> insert(Entry entry) {
    JsonNode before = entry.before();
    JsonNode after = entry.after();
    return Sql.update(
        "insert_admin_audit",
        """
        INSERT INTO admin_audit (id, at, actor, actor_key, address, request_id, action, target_type, target_id, user_id, before, after)
        VALUES (CAST(? AS uuid), %s, ?, ?, ?, ?, ?, ?, ?, ?, CAST(? AS jsonb), CAST(? AS jsonb))"""
            .formatted(IdentityColumns.TIME),
        entry.id(),
        IdentityColumns.millis(entry.at()),
        entry.actor().userId(),
        entry.actor().keyId(),
        entry.actor().address(),
        entry.actor().requestId(),
        entry.action(),
        entry.target().type(),
        entry.target().id(),
        entry.target().userId(),
        before == null ? null : before.toString(),
        after == null ? null : after.toString());
  }

  public static Function<DbExecute, List<Entry>> list(Filter filter, Page page) {
    return Sql.list(
        "list_admin_audit",
        """
        SELECT %s FROM admin_audit
        WHERE (CAST(? AS text) IS NULL OR actor = ?) AND (CAST(? AS text) IS NULL OR target_type = ?)
          AND (CAST(? AS text) IS NULL OR target_id = ?) AND (CAST(? AS text) IS NULL OR action = ?) AND %s"""
            .formatted(COLUMNS, page.sql("uuid")),
        AuditLog::read,
        filter.actor(),
        filter.actor(),
        filter.targetType(),
        filter.targetType(),
        filter.targetId(),
        filter.targetId(),
        filter.action(),
        filter.action(),
        page.after(),
        page.after(),
        page.limit());
  }

  /** Returns what a user did, and what others did to the user, the oldest first. */
  public static Function<DbExecute, List<Entry>> ofUser(
      String userId, @Nullable UUID after, int limit) {
    return Sql.list(
        "list_user_audit",
        """
        SELECT %s FROM admin_audit
        WHERE (actor = ? OR user_id = ?) AND (CAST(? AS uuid) IS NULL OR id > CAST(? AS uuid)) ORDER BY id LIMIT ?"""
            .formatted(COLUMNS),
        AuditLog::read,
        userId,
        userId,
        after,
        after,
        limit);
  }

  /**
   * Replaces a user by a pseudonym, in a number of entries. Their request ids lead to log lines
   * that name the user, so they go too.
   *
   * @return in how many; fewer than the limit if none is left
   */
  public static Function<DbExecute, Long> pseudonymise(String userId, String pseudonym, int limit) {
    return Sql.update(
        "pseudonymise_admin_audit",
        """
        UPDATE admin_audit SET %s, %s,
          target_id = CASE WHEN target_type = 'user' AND target_id = ? THEN ? ELSE target_id END,
          user_id = CASE WHEN user_id = ? THEN ? ELSE user_id END,
          actor_key = CASE WHEN actor <> ? OR actor_key ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' THEN actor_key ELSE ? END,
          address = CASE WHEN actor = ? THEN 'erased' ELSE address END,
          request_id = 'erased',
          actor = CASE WHEN actor = ? THEN ? ELSE actor END
        WHERE id IN (SELECT id FROM admin_audit WHERE actor = ? OR user_id = ? LIMIT ?)"""
            .formatted(WITHOUT_USER.formatted("before"), WITHOUT_USER.formatted("after")),
        userId,
        pseudonym,
        pseudonym,
        pseudonym,
        userId,
        pseudonym,
        pseudonym,
        pseudonym,
        userId,
        pseudonym,
        userId,
        pseudonym,
        userId,
        pseudonym,
        userId,
        userId,
        pseudonym,
        userId,
        userId,
        limit);
  }

  private static Entry read(DbRow row) {
    return new Entry(
        row.column("id").get(UUID.class),
        IdentityColumns.instant(row, "at"),
        new Actor(
            row.column("actor").getString(),
            row.column("actor_key").getString(),
            row.column("address").getString(),
            row.column("request_id").getString()),
        row.column("action").getString(),
        new Target(
            row.column("target_type").getString(),
            row.column("target_id").getString(),
            IdentityColumns.text(row, "user_id")),
        IdentityColumns.json(row, "before"),
        IdentityColumns.json(row, "after"));
  }
}
