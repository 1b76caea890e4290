package dev.jarvis.admin;

import dev.jarvis.error.ApiException;
import dev.jarvis.http.Exchange;
import dev.jarvis.id.UuidV7;
import dev.jarvis.identity.AuditLog;
import dev.jarvis.identity.Principal;
import dev.jarvis.identity.UserStore;
import dev.jarvis.storage.Database;
import dev.jarvis.telemetry.Instruments;
import dev.jarvis.telemetry.Metric;
import io.helidon.dbclient.DbExecute;
import java.util.UUID;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes administrators' changes, one at a time over all replicas: each in one transaction with its
 * entry in the audit log.
 */
final class Changes {
  private static final Logger LOG = LoggerFactory.getLogger("dev.jarvis.admin");

  private final Database database;
  private final Instruments instruments;
  private final OtherAccess access;
  private final Runnable changed;

  /**
   * @param changed called after each change, before its response; its wait must be bounded
   */
  Changes(Database database, Instruments instruments, OtherAccess access, Runnable changed) {
    this.database = database;
    this.instruments = instruments;
    this.access = access;
    this.changed = changed;
    for (Action action : Action.values()) {
      instruments.add(Metric.ADMIN_ACTIONS, 0, action.id());
    }
  }

  private record Done<T>(AuditLog.Entry entry, T result) {}

  /**
   * Makes a change; an exception of the work leaves everything as it was.
   *
   * @throws ApiException.Forbidden if the client's access has ended since the request began
   * @throws ApiException.Conflict if no administrator would have access any more
   */
  <T> T make(Exchange exchange, Function<DbExecute, Change<T>> work) {
    Done<T> done =
        database.transaction(
            db -> {
              var _ = UserStore.lockIdentities().apply(db);
              if (!access.mayStillAdminister(db, exchange.principal())) {
                throw new ApiException.Forbidden(
                    "Your access as an administrator has just ended; nothing was changed.");
              }
              long administrators = access.administrators(db);
              Change<T> change = work.apply(db);
              if (administrators > 0 && access.administrators(db) == 0) {
                throw new ApiException.Conflict(
                    "This would leave no administrator with access; see that another one is not blocked and has a key for 'admin' first.",
                    null,
                    "last_administrator");
              }
              AuditLog.Entry entry = entry(exchange, change);
              var _ = AuditLog.insert(entry).apply(db);
              return new Done<>(entry, change.result());
            });
    changed.run();
    report(done.entry());
    return done.result();
  }

  private static AuditLog.Entry entry(Exchange exchange, Change<?> change) {
    Principal actor = exchange.principal();
    UUID id = UuidV7.next();
    return new AuditLog.Entry(
        id,
        UuidV7.time(id),
        new AuditLog.Actor(
            actor.userId(), actor.keyId(), exchange.clientAddress(), exchange.requestId()),
        change.action().id(),
        new AuditLog.Target(change.action().targetType(), change.targetId(), change.userId()),
        change.before(),
        change.after());
  }

  private void report(AuditLog.Entry entry) {
    instruments.add(Metric.ADMIN_ACTIONS, 1, entry.action());
    LOG.atInfo()
        .addKeyValue("actor", entry.actor().userId())
        .addKeyValue("actor_key", entry.actor().keyId())
        .addKeyValue("client_address", entry.actor().address())
        .addKeyValue("action", entry.action())
        .addKeyValue("target_type", entry.target().type())
        .addKeyValue("target_id", entry.target().id())
        .addKeyValue("before", String.valueOf(entry.before()))
        .addKeyValue("after", String.valueOf(entry.after()))
        .log("admin_action");
  }
}
