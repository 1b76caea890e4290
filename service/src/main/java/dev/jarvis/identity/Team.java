package dev.jarvis.identity;

import dev.jarvis.gateway.RateLimits;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * Users who share limits.
 *
 * @param id see {@link Identifier}
 * @param limits of all users of the team together
 * @param blockedAt null unless its users are blocked
 */
public record Team(
    String id,
    @Nullable String name,
    RateLimits limits,
    @Nullable Instant blockedAt,
    Instant createdAt,
    Instant updatedAt) {

  public boolean blocked() {
    return blockedAt != null;
  }
}
