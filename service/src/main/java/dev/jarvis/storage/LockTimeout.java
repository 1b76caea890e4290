package dev.jarvis.storage;

import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import org.flywaydb.core.api.callback.BaseCallback;
import org.flywaydb.core.api.callback.Context;
import org.flywaydb.core.api.callback.Event;

/** Limits how long the statements of migrations wait for locks. */
final class LockTimeout extends BaseCallback {
  private final Duration limit;

  LockTimeout(Duration limit) {
    this.limit = limit;
  }

  @Override
  public boolean supports(Event event, Context context) {
    return event == Event.AFTER_CONNECT;
  }

  @Override
  public void handle(Event event, Context context) {
    try (Statement statement = context.getConnection().createStatement()) {
      statement.execute("SET lock_timeout = " + limit.toMillis());
    } catch (SQLException e) {
      throw new IllegalStateException("lock_timeout could not be set", e);
    }
  }
}
