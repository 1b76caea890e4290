package dev.jarvis.identity;

import dev.jarvis.gateway.RateLimits;
import java.time.Instant;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * A key as administrators see it: without its secret and its hash.
 *
 * @param id UUIDv7
 * @param prefix the public part of the key
 * @param settings what an administrator may change
 * @param replacedBy the key that a rotation has made; null if there was none
 * @param lastUsedAt to the minute or so; null if it was never used
 */
public record StoredKey(
    UUID id,
    String prefix,
    String userId,
    Settings settings,
    @Nullable Instant revokedAt,
    @Nullable UUID replacedBy,
    @Nullable Instant lastUsedAt,
    Instant createdAt,
    Instant updatedAt) {

  /**
   * What an administrator chooses.
   *
   * @param models see {@link dev.jarvis.gateway.Grants}; empty for every model
   * @param permissions ids of {@link dev.jarvis.gateway.Permission}; empty for every operation
   * @param addresses addresses and CIDR blocks from which the key may be used; empty for all
   * @param expiresAt null for never
   */
  public record Settings(
      @Nullable String name,
      List<String> models,
      List<String> permissions,
      List<String> addresses,
      RateLimits limits,
      @Nullable Instant expiresAt) {

    public Settings {
      models = List.copyOf(models);
      permissions = List.copyOf(permissions);
      addresses = List.copyOf(addresses);
    }
  }

  /** Whether a key can be used. */
  public enum State {
    ACTIVE,
    EXPIRED,
    REVOKED
  }

  public State state(Instant now) {
    if (revokedAt != null) {
      return State.REVOKED;
    }
    Instant end = settings.expiresAt();
    return end == null || now.isBefore(end) ? State.ACTIVE : State.EXPIRED;
  }
}
