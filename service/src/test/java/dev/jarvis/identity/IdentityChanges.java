package dev.jarvis.identity;

import dev.jarvis.storage.embedded.TestDatabase;
import java.sql.SQLException;

/** Changes of rows that end the use of a key, and how requests with it are then refused. */
final class IdentityChanges {
  /** The statement, the status, the code of the error. */
  static final String REFUSED =
      """
      UPDATE api_keys SET revoked_at = now() WHERE prefix = 'PREFIX' | 401 | invalid_api_key
      UPDATE api_keys SET expires_at = now() WHERE prefix = 'PREFIX' | 401 | invalid_api_key
      UPDATE api_keys SET expires_at = now(), replaced_by = id WHERE prefix = 'PREFIX' | 401 | invalid_api_key
      UPDATE api_keys SET addresses = '{192.0.2.1}' WHERE prefix = 'PREFIX' | 403 | address_not_allowed
      DELETE FROM api_keys WHERE prefix = 'PREFIX' | 401 | invalid_api_key
      UPDATE users SET blocked_at = now() WHERE id = 'USER' | 403 | user_blocked
      UPDATE teams SET blocked_at = now() WHERE id = 'USER' | 403 | user_blocked
      UPDATE users SET pseudonym = 'p' WHERE id = 'USER' | 401 | invalid_api_key
      DELETE FROM users WHERE id = 'USER' | 401 | invalid_api_key
      """;

  private IdentityChanges() {}

  /** Adds a key of a new user, who is in a team of the same id. */
  static ApiKey add(TestDatabase database, String user) throws SQLException {
    ApiKey key = TestKeys.add(database, user);
    database.execute("INSERT INTO teams (id) VALUES ('%s')".formatted(user));
    database.execute("UPDATE users SET team_id = '%1$s' WHERE id = '%1$s'".formatted(user));
    return key;
  }

  /** Makes a change of {@link #REFUSED}. */
  static void make(TestDatabase database, String change, ApiKey key, String user)
      throws SQLException {
    database.execute(change.replace("PREFIX", key.prefix()).replace("USER", user));
  }
}
