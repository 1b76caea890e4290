package dev.jarvis.identity;

import dev.jarvis.gateway.Caller;
import dev.jarvis.gateway.Grants;
import dev.jarvis.gateway.ScopedLimits;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * An authenticated client: a user, by one of their keys or a token.
 *
 * @param teamId the user's team; null if there is none
 * @param keyId identifies the key in logs and the ledger; never the key itself
 * @param limits of the key, the user and the team
 */
public record Principal(
    String userId,
    Role role,
    @Nullable String teamId,
    String keyId,
    Grants grants,
    List<ScopedLimits> limits) {

  public Principal {
    limits = List.copyOf(limits);
  }

  /**
   * The principal as a caller of models.
   *
   * @param endUser null if the request names nobody
   */
  public Caller caller(@Nullable String endUser) {
    return new Caller(userId, teamId, keyId, endUser, grants, limits);
  }
}
