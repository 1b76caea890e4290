package dev.jarvis.identity;

import dev.jarvis.gateway.Grants;
import dev.jarvis.gateway.RateLimits;
import dev.jarvis.gateway.ScopedLimits;
import dev.jarvis.gateway.ScopedLimits.Scope;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A user as the database has it. */
record KnownUser(
    String id, Role role, RateLimits limits, boolean blocked, @Nullable KnownTeam team) {

  KnownUser as(Role other) {
    return new KnownUser(id, other, limits, blocked, team);
  }

  /** The same user in another team, unless the own team is blocked. */
  KnownUser in(KnownTeam other) {
    boolean stillBlocked = blocked || (team != null && team.blocked());
    return new KnownUser(id, role, limits, stillBlocked, other);
  }

  /**
   * The user as a client.
   *
   * @throws AuthenticationFailure if the user or the team is blocked
   */
  Principal principal(String keyId, Grants grants, RateLimits keyLimits) {
    if (blocked || (team != null && team.blocked())) {
      throw AuthenticationFailure.blocked(blocked);
    }
    List<ScopedLimits> all = new ArrayList<>();
    all.add(new ScopedLimits(Scope.KEY, keyId, keyLimits));
    all.add(new ScopedLimits(Scope.USER, id, limits));
    if (team != null) {
      all.add(new ScopedLimits(Scope.TEAM, team.id(), team.limits()));
    }
    return new Principal(id, role, team == null ? null : team.id(), keyId, grants, all);
  }
}
