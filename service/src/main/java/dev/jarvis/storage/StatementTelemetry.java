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
 * Records a span and a duration for each statement under its name. Helidon's JDBC client does not
 * complete the future of a failed statement, so the statements of a piece of work are collected:
 * those not ended when the work throws have failed.
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
      return context; // Database.poll
    }
    ClientOperation operation =
        telemetry
            .operation(Target.POSTGRESQL, context.statementName())
            .attribute(
                "db.query.text", context.statement()); // without the values, which are parameters
    STARTED.get().add(operation);
    context.resultFuture().thenRun(operation::end);
    return context;
  }

  /** Runs work on this thread and ends the spans of its statements. */
  <T> T observe(Supplier<T> work) {
    List<ClientOperation> started = new ArrayList<>();
    try {
      T result = ScopedValue.where(STARTED, started).call(work::get);
      started.forEach(ClientOperation::end); // statements whose rows were not all read
      return result;
    } catch (RuntimeException | Error e) {
      if (Database.isCancelled(e)) {
        started.forEach(ClientOperation::end); // a cancelled statement is no error
      } else {
        started.forEach(it -> it.end(e));
      }
      throw e;
    }
  }
}
