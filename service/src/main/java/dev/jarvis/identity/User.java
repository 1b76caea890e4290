package dev.jarvis.identity;

import dev.jarvis.gateway.RateLimits;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * A user as administrators see it.
 *
 * @param id see {@link Identifier}
 * @param teamId null if the user is in no team
 * @param blockedAt null unless the user is blocked
 * @param pseudonym replaces the id in the ledger and the audit log; null unless the user is being
 *     erased
 */
public record User(
    String id,
    @Nullable String name,
    Role role,
    @Nullable String teamId,
    RateLimits limits,
    @Nullable Instant blockedAt,
    @Nullable String pseudonym,
    Instant createdAt,
    Instant updatedAt) {

  public boolean blocked() {
    return blockedAt != null;
  }

  public boolean erasing() {
    return pseudonym != null;
  }
}
