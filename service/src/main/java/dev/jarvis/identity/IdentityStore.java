package dev.jarvis.identity;

import dev.jarvis.identity.KnownCache.Rows;
import dev.jarvis.storage.Sql;
import io.helidon.dbclient.DbExecute;
import io.helidon.dbclient.DbRow;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The statements of authentication. Each reads any number of rows together with the version of the
 * identities that it saw; users that are being erased do not exist for it.
 */
final class IdentityStore {
  private static final Logger LOG = LoggerFactory.getLogger(IdentityStore.class);

  private static final String TEAM_COLUMNS =
      """
      t.id AS team_id, t.requests_per_minute AS team_requests, t.tokens_per_minute AS team_tokens,
      t.parallel_calls AS team_parallel, t.blocked_at IS NOT NULL AS team_blocked
      """;
  private static final String USER_COLUMNS =
      """
      u.id AS user_id, u.role, u.requests_per_minute AS user_requests,
      u.tokens_per_minute AS user_tokens, u.parallel_calls AS user_parallel,
      u.blocked_at IS NOT NULL AS user_blocked,
      """
          + TEAM_COLUMNS;

  private static final String TEAMS =
      "SELECT v.version, t.id AS found, "
          + TEAM_COLUMNS
          + " FROM identity_version v LEFT JOIN teams t ON t.id = ANY(CAST(? AS text[]))";
  private static final String USERS =
      "SELECT v.version, u.id AS found, "
          + USER_COLUMNS
          + " FROM identity_version v LEFT JOIN (users u LEFT JOIN teams t ON t.id = u.team_id)"
          + " ON u.id = ANY(CAST(? AS text[])) AND u.pseudonym IS NULL";
  private static final String KEYS =
      """
      SELECT v.version, k.prefix AS found, k.id AS key_id, encode(k.sha256, 'hex') AS sha256,
        k.models,
        k.permissions,
        k.addresses,
        k.requests_per_minute AS key_requests, k.tokens_per_minute AS key_tokens,
        k.parallel_calls AS key_parallel, k.expires_at, k.revoked_at IS NOT NULL AS revoked,
        k.replaced_by IS NOT NULL AS replaced,
      """
          + USER_COLUMNS
          + """
            FROM identity_version v LEFT JOIN
              (api_keys k JOIN users u ON u.id = k.user_id LEFT JOIN teams t ON t.id = u.team_id)
              ON k.prefix = ANY(CAST(? AS text[])) AND u.pseudonym IS NULL
            """;

  private IdentityStore() {}

  /** The version of the identities, which every change increases. */
  static Function<DbExecute, Long> version() {
    return Sql.get(
            "identity_version",
            "SELECT version FROM identity_version",
            it -> it.column("version").getLong())
        .andThen(it -> it.orElseThrow(() -> new IllegalStateException("no identity_version")));
  }

  /** Keys with their users, by their prefixes. */
  static Function<DbExecute, Rows<KnownKey>> keys(List<String> prefixes) {
    return rows("find_api_keys", KEYS, prefixes, IdentityRow::key);
  }

  /** Users by their ids. */
  static Function<DbExecute, Rows<KnownUser>> users(List<String> ids) {
    return rows("find_users", USERS, ids, IdentityRow::user);
  }

  /** Teams by their ids. */
  static Function<DbExecute, Rows<KnownTeam>> teams(List<String> ids) {
    return rows("find_teams", TEAMS, ids, IdentityRow::team);
  }

  /**
   * Adds those users that there are not. Under the lock that every change takes first, or it could
   * end in a deadlock with one; and nothing is written for nobody, because that would count as a
   * change too. For a transaction.
   */
  static Function<DbExecute, Void> addMissing(Map<String, Role> users) {
    return db -> {
      if (!missing(users.keySet()).apply(db).isEmpty()) {
        var _ = UserStore.lockIdentities().apply(db);
        missing(users.keySet()).apply(db).stream()
            .collect(Collectors.groupingBy(users::get))
            .forEach(
                (role, ids) -> {
                  long _ = addUsers(role, ids).apply(db);
                });
      }
      return null;
    };
  }

  private static Function<DbExecute, List<String>> missing(Set<String> ids) {
    return Sql.list(
        "missing_users",
        """
        SELECT id FROM unnest(CAST(? AS text[])) AS id
        EXCEPT SELECT id FROM users WHERE id = ANY (CAST(? AS text[]))
        """,
        it -> it.column("id").getString(),
        Sql.textArray(List.copyOf(ids)),
        Sql.textArray(List.copyOf(ids)));
  }

  private static Function<DbExecute, Long> addUsers(Role role, List<String> ids) {
    return Sql.update(
        "add_users",
        "INSERT INTO users (id, role) SELECT id, ? FROM unnest(CAST(? AS text[])) AS id",
        role.id(),
        Sql.textArray(ids));
  }

  /**
   * Records when keys were used last. Skips what another replica has just written, or writes now:
   * waiting for each other's rows could be a deadlock.
   */
  static Function<DbExecute, Long> used(List<UUID> keys, Instant at) {
    return Sql.update(
        "record_key_use",
        """
        UPDATE api_keys SET last_used_at = CAST(? AS timestamptz) WHERE id IN (
          SELECT id FROM api_keys WHERE id = ANY(CAST(? AS uuid[]))
            AND (last_used_at IS NULL OR last_used_at < CAST(? AS timestamptz) - interval '30 seconds')
          FOR NO KEY UPDATE SKIP LOCKED)
        """,
        at.toString(),
        Sql.array(keys),
        at.toString());
  }

  private static <V> Function<DbExecute, Rows<V>> rows(
      String name, String sql, List<String> ids, Function<DbRow, V> mapper) {
    return Sql.list(
            name,
            sql,
            row -> Map.entry(row.column("version").getLong(), found(row, mapper)),
            Sql.textArray(ids))
        .andThen(
            it -> {
              Map<String, V> byId = new HashMap<>();
              it.forEach(row -> byId.putAll(row.getValue()));
              return new Rows<>(it.getFirst().getKey(), byId);
            });
  }

  /** A row that cannot be read counts as missing, so that it shuts out nobody else. */
  private static <V> Map<String, V> found(DbRow row, Function<DbRow, V> mapper) {
    String id = row.column("found").get(String.class);
    if (id == null) {
      return Map.of();
    }
    try {
      return Map.of(id, mapper.apply(row));
    } catch (IllegalArgumentException e) {
      LOG.atError().addKeyValue("id", id).setCause(e).log("an identity in the database is invalid");
      return Map.of();
    }
  }
}
