package dev.jarvis.identity;

import dev.jarvis.storage.Page;
import dev.jarvis.storage.Sql;
import io.helidon.dbclient.DbExecute;
import io.helidon.dbclient.DbRow;
import java.time.Duration;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Statements on the table {@code api_keys}. The hash is written, and never read here. */
public final class KeyStore {
  private static final String COLUMNS =
      """
      id, prefix, user_id, name, CAST(to_jsonb(models) AS text) AS models, CAST(to_jsonb(permissions) AS text) AS permissions,
      CAST(to_jsonb(addresses) AS text) AS addresses, expires_at, revoked_at, replaced_by, last_used_at, created_at, updated_at,
      """
          + IdentityColumns.LIMITS;

  private static final String SETTINGS =
      "name, models, permissions, addresses, expires_at, " + IdentityColumns.LIMITS;

  private static final String SETTING_VALUES =
      "?, %s, %s, %s, %s, %s"
          .formatted(
              IdentityColumns.TEXTS,
              IdentityColumns.TEXTS,
              IdentityColumns.TEXTS,
              IdentityColumns.TIME,
              IdentityColumns.LIMIT_VALUES);

  /** By PostgreSQL's clock, as {@link StoredKey#state} by that of the replica. */
  private static final String STATE =
      "CASE WHEN revoked_at IS NOT NULL THEN 'revoked' WHEN expires_at <= now() THEN 'expired' ELSE 'active' END";

  private KeyStore() {}

  /** Selects keys; null for any. */
  public record Filter(@Nullable String userId, StoredKey.@Nullable State state) {}

  /** Adds a key of an existing user. */
  public static Function<DbExecute, StoredKey> insert(
      UUID id, ApiKey key, String userId, StoredKey.Settings settings) {
    return db ->
        Sql.get(
                "insert_key",
                """
                INSERT INTO api_keys (id, prefix, sha256, user_id, %s)
                VALUES (CAST(? AS uuid), ?, decode(?, 'hex'), ?, %s) RETURNING %s"""
                    .formatted(SETTINGS, SETTING_VALUES, COLUMNS),
                KeyStore::read,
                id,
                key.prefix(),
                HexFormat.of().formatHex(key.sha256()),
                userId,
                settings.name(),
                IdentityColumns.array(settings.models()),
                IdentityColumns.array(settings.permissions()),
                IdentityColumns.array(settings.addresses()),
                IdentityColumns.millis(settings.expiresAt()),
                settings.limits().requestsPerMinute(),
                settings.limits().tokensPerMinute(),
                settings.limits().parallelCalls())
            .apply(db)
            .orElseThrow();
  }

  public static Function<DbExecute, Optional<StoredKey>> find(UUID id) {
    return Sql.get(
        "find_key",
        "SELECT %s FROM api_keys WHERE id = CAST(? AS uuid)".formatted(COLUMNS),
        KeyStore::read,
        id);
  }

  public static Function<DbExecute, List<StoredKey>> list(Filter filter, Page page) {
    StoredKey.State state = filter.state();
    String wanted = state == null ? null : state.name().toLowerCase(Locale.ROOT);
    return Sql.list(
        "list_keys",
        """
        SELECT %s FROM api_keys
        WHERE (CAST(? AS text) IS NULL OR user_id = ?) AND (CAST(? AS text) IS NULL OR %s = ?) AND %s"""
            .formatted(COLUMNS, STATE, page.sql("uuid")),
        KeyStore::read,
        filter.userId(),
        filter.userId(),
        wanted,
        wanted,
        page.after(),
        page.after(),
        page.limit());
  }

  public static Function<DbExecute, Optional<StoredKey>> update(
      UUID id, StoredKey.Settings settings) {
    return Sql.get(
        "update_key",
        "UPDATE api_keys SET (%s) = (%s), updated_at = now() WHERE id = CAST(? AS uuid) RETURNING %s"
            .formatted(SETTINGS, SETTING_VALUES, COLUMNS),
        KeyStore::read,
        settings.name(),
        IdentityColumns.array(settings.models()),
        IdentityColumns.array(settings.permissions()),
        IdentityColumns.array(settings.addresses()),
        IdentityColumns.millis(settings.expiresAt()),
        settings.limits().requestsPerMinute(),
        settings.limits().tokensPerMinute(),
        settings.limits().parallelCalls(),
        id);
  }

  /** Lets a key expire after a grace period, unless it does so earlier, in favour of another. */
  public static Function<DbExecute, Optional<StoredKey>> replace(
      UUID id, UUID replacement, Duration grace) {
    return Sql.get(
        "replace_key",
        """
        UPDATE api_keys SET replaced_by = CAST(? AS uuid), expires_at = least(expires_at, now() + CAST(? AS interval)),
          updated_at = now()
        WHERE id = CAST(? AS uuid) RETURNING %s"""
            .formatted(COLUMNS),
        KeyStore::read,
        replacement,
        grace.toSeconds() + " seconds",
        id);
  }

  public static Function<DbExecute, Optional<StoredKey>> revoke(UUID id) {
    return Sql.get(
        "revoke_key",
        """
        UPDATE api_keys SET revoked_at = coalesce(revoked_at, now()), updated_at = now()
        WHERE id = CAST(? AS uuid) RETURNING %s"""
            .formatted(COLUMNS),
        KeyStore::read,
        id);
  }

  public static Function<DbExecute, Long> delete(UUID id) {
    return Sql.update("delete_key", "DELETE FROM api_keys WHERE id = CAST(? AS uuid)", id);
  }

  private static StoredKey read(DbRow row) {
    return new StoredKey(
        row.column("id").get(UUID.class),
        row.column("prefix").getString(),
        row.column("user_id").getString(),
        new StoredKey.Settings(
            IdentityColumns.text(row, "name"),
            IdentityColumns.texts(row, "models"),
            IdentityColumns.texts(row, "permissions"),
            IdentityColumns.texts(row, "addresses"),
            IdentityColumns.limits(row),
            IdentityColumns.time(row, "expires_at")),
        IdentityColumns.time(row, "revoked_at"),
        IdentityColumns.uuid(row, "replaced_by"),
        IdentityColumns.time(row, "last_used_at"),
        IdentityColumns.instant(row, "created_at"),
        IdentityColumns.instant(row, "updated_at"));
  }
}
