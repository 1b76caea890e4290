package dev.jarvis.gateway;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Who makes a call, and what they may do.
 *
 * @param userId the user that the API key or token belongs to
 * @param teamId the user's team; null if there is none
 * @param keyId the id of the key, never the key; null for calls of the service itself
 * @param endUser the person that the request names as {@code user}; null if it names nobody
 * @param limits of the key, the user and the team; empty for calls of the service itself
 */
public record Caller(
    String userId,
    @Nullable String teamId,
    @Nullable String keyId,
    @Nullable String endUser,
    Grants grants,
    List<ScopedLimits> limits) {

  public Caller {
    limits = List.copyOf(limits);
  }

  /** The service itself, on behalf of a user, who pays: without restrictions and limits. */
  public static Caller service(String userId, @Nullable String teamId) {
    return new Caller(userId, teamId, null, null, Grants.ALL, List.of());
  }

  /**
   * The service itself, for a call of another caller, who pays: without restrictions and limits.
   */
  public static Caller serviceFor(Caller payer) {
    return new Caller(
        payer.userId(), payer.teamId(), payer.keyId(), payer.endUser(), Grants.ALL, List.of());
  }

  /** The names that identify the caller: the user, and the end user if there is one. */
  public List<String> names() {
    return endUser == null ? List.of(userId) : List.of(userId, endUser);
  }
}
