package dev.jarvis.admin;

import dev.jarvis.identity.AccessStore;
import dev.jarvis.identity.Principal;
import io.helidon.dbclient.DbExecute;
import java.util.Set;

/**
 * Access that this replica's configuration gives, beside the keys in the database.
 *
 * @param users who have a key in the configuration
 * @param issuers names of the issuers whose tokens are accepted
 * @param roleIssuers names of those whose tokens say the role
 */
public record OtherAccess(Set<String> users, Set<String> issuers, Set<String> roleIssuers) {
  /** How the key ids of tokens begin; the issuer's name and another colon follow. */
  private static final String TOKEN = "oidc:";

  public OtherAccess {
    users = Set.copyOf(users);
    issuers = Set.copyOf(issuers);
    roleIssuers = Set.copyOf(roleIssuers);
  }

  /** Returns how many administrators have access. */
  long administrators(DbExecute db) {
    return AccessStore.administrators(users, !issuers.isEmpty()).apply(db);
  }

  /** Returns whether an administrator's access is as it was when the request began. */
  boolean mayStillAdminister(DbExecute db, Principal client) {
    String keyId = client.keyId();
    boolean token = keyId.startsWith(TOKEN);
    return AccessStore.mayAdminister(
            new AccessStore.Actor(
                client.userId(),
                Listing.uuid(keyId).orElse(null),
                client.teamId(),
                token,
                token && roleIssuers.contains(keyId.split(":", 3)[1])))
        .apply(db);
  }
}
