package dev.jarvis.identity;

import dev.jarvis.id.UuidV7;
import dev.jarvis.storage.embedded.TestDatabase;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;

/** Writes users and keys as the admin API does. */
public final class TestKeys {
  private TestKeys() {}

  /** Adds a key of a user, who is added if there is none, and returns it in clear text. */
  public static ApiKey add(TestDatabase database, String user) throws SQLException {
    try (Connection connection = database.connect()) {
      return add(connection, user);
    }
  }

  /** Adds a key of a user, who is added if there is none, and returns it in clear text. */
  public static ApiKey add(Connection connection, String user) throws SQLException {
    ApiKey key = ApiKey.generate();
    try (PreparedStatement statement =
        connection.prepareStatement(
            "INSERT INTO users (id, role) VALUES (?, 'member') ON CONFLICT DO NOTHING")) {
      statement.setString(1, user);
      statement.execute();
    }
    try (PreparedStatement statement =
        connection.prepareStatement(
            "INSERT INTO api_keys (id, prefix, sha256, user_id) VALUES (?, ?, ?, ?)")) {
      statement.setObject(1, UuidV7.next());
      statement.setString(2, key.prefix());
      statement.setBytes(3, key.sha256());
      statement.setString(4, user);
      statement.execute();
    }
    return key;
  }

  /** Changes a key: the assignments of an UPDATE. */
  public static void set(TestDatabase database, ApiKey key, String assignments)
      throws SQLException {
    database.execute(
        "UPDATE api_keys SET %s WHERE prefix = '%s'".formatted(assignments, key.prefix()));
  }

  /** The same prefix with another secret. */
  public static ApiKey guess(ApiKey key) {
    return new ApiKey(key.prefix(), "sk-jarvis-%s-%s".formatted(key.prefix(), "A".repeat(43)));
  }
}
