package dev.jarvis.storage;

import dev.jarvis.telemetry.ClientOperation;
import dev.jarvis.telemetry.ClientOperation.Target;
import dev.jarvis.telemetry.Telemetry;
import io.helidon.dbclient.DbClientService;
import io.helidon.dbclient.DbClientServiceContext;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;

/**
 * A span and a duration for each statement, under its given name. Helidon's JDBC client never
 * completes a statement's future when it fails, so that the statements of a piece of work are kept
 * until its end: what is open when it throws has failed.
 */
final class StatementTelemetry implements DbClientService {
  private static final ScopedValue<List<ClientOperation>> STARTED = ScopedValue.newInstance();

  private final Telemetry telemetry;

  StatementTelemetry(Telemetry telemetry) {
    this.telemetry = telemetry;
  }

  @Override
  public DbClientServiceContext statement(DbClientServiceContext context) {
    if (!STARTED.isBound()) {
      return context; // of a poll
    }
    ClientOperation operation =
        telemetry
            .operation(Target.POSTGRESQL, context.statementName())
            .attribute("db.query.text", context.statement()); // values are parameters, not in it
    STARTED.get().add(operation);
    context.resultFuture().thenRun(operation::end);
    return context;
  }

  /** Does work that runs statements on this thread, and ends what they started. */
  <T> T observe(Supplier<T> work) {
    List<ClientOperation> started = new ArrayList<>();
    try {
      T result = ScopedValue.where(STARTED, started).call(work::get);
      started.forEach(ClientOperation::end); // what a half-read stream of rows left open
      return result;
    } catch (RuntimeException | Error e) {
      if (Database.isCancelled(e)) {
        started.forEach(ClientOperation::end); // PostgreSQL did what it was told
      } else {
        started.forEach(it -> it.end(e));
      }
      throw e;
    }
  }
}
