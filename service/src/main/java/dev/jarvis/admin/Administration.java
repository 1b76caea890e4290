package dev.jarvis.admin;

import dev.jarvis.document.FileStore;
import dev.jarvis.http.Routes;
import dev.jarvis.storage.Database;
import dev.jarvis.storage.ObjectStore;
import dev.jarvis.telemetry.Instruments;
import java.time.Duration;
import java.util.function.Predicate;

/** Wires the API of administrators. */
public final class Administration implements AutoCloseable {
  private static final Duration PAUSE = Duration.ofSeconds(5);
  private static final int BATCH = 500;

  private final TeamRoutes teams;
  private final UserRoutes users;
  private final KeyRoutes keys;
  private final AuditRoutes audit;
  private final ExportRoutes exports;
  private final Erasure erasure;

  /**
   * @param configured whether the configuration has a key of a user
   * @param changed called when users, teams or keys have changed; must not block
   * @param settling how long a call may go on that began before its user was deleted
   */
  public Administration(
      Database database,
      FileStore files,
      ObjectStore objects,
      Instruments instruments,
      Predicate<String> configured,
      Runnable changed,
      Duration settling) {
    Changes changes = new Changes(database, instruments, changed);
    erasure = new Erasure(database, settling, PAUSE, BATCH);
    teams = new TeamRoutes(database, changes);
    users = new UserRoutes(database, changes, configured, erasure::wake);
    keys = new KeyRoutes(database, changes);
    audit = new AuditRoutes(database);
    exports = new ExportRoutes(database, changes, new Export(database, files, objects));
  }

  public void register(Routes routes) {
    teams.register(routes);
    users.register(routes);
    exports.register(routes);
    keys.register(routes);
    audit.register(routes);
  }

  /** Begins to erase deleted users. */
  public void start() {
    erasure.start();
  }

  @Override
  public void close() {
    erasure.close();
  }
}
