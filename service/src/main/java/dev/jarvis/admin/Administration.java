package dev.jarvis.admin;

import dev.jarvis.document.FileStore;
import dev.jarvis.http.Routes;
import dev.jarvis.storage.Database;
import dev.jarvis.storage.ObjectStore;
import dev.jarvis.telemetry.Instruments;
import java.time.Duration;
import java.time.ZoneId;
import java.util.Set;

/** Wires the API of administrators. */
public final class Administration implements AutoCloseable {
  private static final Duration PAUSE = Duration.ofSeconds(5);

  /** How long replicas may take to write the ledger's entries that they kept. */
  private static final Duration RECOVERY = Duration.ofMinutes(1);

  private static final int BATCH = 500;

  private final TeamRoutes teams;
  private final UserRoutes users;
  private final KeyRoutes keys;
  private final BudgetRoutes budgets;
  private final PriceRoutes prices;
  private final AuditRoutes audit;
  private final ExportRoutes exports;
  private final Erasure erasure;

  /**
   * @param access that this replica's configuration gives
   * @param providers for which prices can be imported
   * @param zone in which days and months of budgets begin
   * @param changed called when users, teams, keys, budgets or prices have changed: makes this
   *     replica see it before the administrator has the response; its wait must be bounded
   * @param settling how long after the deletion of a user there may be new data of theirs
   */
  public Administration(
      Database database,
      FileStore files,
      ObjectStore objects,
      Instruments instruments,
      OtherAccess access,
      Set<String> providers,
      ZoneId zone,
      Runnable changed,
      Duration settling) {
    Changes changes = new Changes(database, instruments, access, changed);
    erasure = new Erasure(database, new Erasure.Times(settling, RECOVERY, PAUSE), BATCH);
    teams = new TeamRoutes(database, changes);
    users = new UserRoutes(database, changes, access.users()::contains, erasure::wake);
    keys = new KeyRoutes(database, changes);
    budgets = new BudgetRoutes(database, changes, zone);
    prices = new PriceRoutes(database, changes, providers);
    audit = new AuditRoutes(database);
    exports = new ExportRoutes(database, changes, new Export(database, files, objects));
  }

  public void register(Routes routes) {
    teams.register(routes);
    users.register(routes);
    exports.register(routes);
    keys.register(routes);
    budgets.register(routes);
    prices.register(routes);
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
