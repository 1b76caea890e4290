package dev.jarvis.identity;

import dev.jarvis.config.AddressBlock;
import dev.jarvis.gateway.Grants;
import dev.jarvis.gateway.Permission;
import dev.jarvis.gateway.RateLimits;
import dev.jarvis.identity.KnownKey.Sha256;
import io.helidon.dbclient.DbRow;
import java.sql.Array;
import java.sql.SQLException;
import java.sql.Timestamp;
import java.time.Instant;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.UUID;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Reads the rows of {@link IdentityStore}; what is invalid is an IllegalArgumentException. */
final class IdentityRow {
  private IdentityRow() {}

  static KnownTeam team(DbRow row) {
    return new KnownTeam(
        row.column("team_id").getString(),
        limits(row, "team"),
        row.column("team_blocked").getBoolean());
  }

  static KnownUser user(DbRow row) {
    return new KnownUser(
        row.column("user_id").getString(),
        Role.valueOf(row.column("role").getString().toUpperCase(Locale.ROOT)),
        limits(row, "user"),
        row.column("user_blocked").getBoolean(),
        row.column("team_id").get(String.class) == null ? null : team(row));
  }

  static KnownKey key(DbRow row) {
    return new KnownKey(
        row.column("key_id").get(UUID.class),
        new Sha256(HexFormat.of().parseHex(row.column("sha256").getString())),
        user(row),
        new Grants(Set.copyOf(texts(row, "models")), permissions(row)),
        texts(row, "addresses").stream().map(AddressBlock::parse).toList(),
        limits(row, "key"),
        time(row),
        row.column("revoked").getBoolean(),
        row.column("replaced").getBoolean());
  }

  private static Set<Permission> permissions(DbRow row) {
    return texts(row, "permissions").stream()
        .map(it -> Permission.valueOf(it.toUpperCase(Locale.ROOT)))
        .collect(Collectors.toSet());
  }

  private static RateLimits limits(DbRow row, String scope) {
    return new RateLimits(
        number(row, scope + "_requests"),
        number(row, scope + "_tokens"),
        number(row, scope + "_parallel"));
  }

  private static @Nullable Integer number(DbRow row, String column) {
    return row.column(column).get(Integer.class);
  }

  private static @Nullable Instant time(DbRow row) {
    Timestamp time = row.column("expires_at").get(Timestamp.class);
    return time == null ? null : time.toInstant();
  }

  private static List<String> texts(DbRow row, String column) {
    try {
      return List.of((String[]) row.column(column).get(Array.class).getArray());
    } catch (SQLException e) {
      throw new IllegalArgumentException(column + " is not an array of texts", e);
    }
  }
}
