package dev.jarvis.telemetry;

import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.api.trace.Tracer;
import io.opentelemetry.context.Context;
import io.opentelemetry.context.Scope;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/**
 * A call to PostgreSQL, Redis or the object store: a client span that follows OpenTelemetry's
 * semantic conventions, and a recorded duration. Start it with {@link Telemetry#operation}; end it
 * once, on any thread.
 */
public final class ClientOperation {
  /** The kind of server that is called. */
  public enum Target {
    POSTGRESQL("postgresql"),
    REDIS("redis"),
    OBJECT_STORE("s3");

    private final String id;

    Target(String id) {
      this.id = id;
    }
  }

  /** The name of the called server, on every kind of client span. */
  public static final AttributeKey<String> PEER = AttributeKey.stringKey("peer.service");

  private static final AttributeKey<String> DB_SYSTEM = Label.DB_SYSTEM.key();
  private static final AttributeKey<String> DB_OPERATION = Label.DB_OPERATION.key();
  private static final AttributeKey<String> RPC_SYSTEM = AttributeKey.stringKey("rpc.system");
  private static final AttributeKey<String> RPC_METHOD = AttributeKey.stringKey("rpc.method");
  private static final AttributeKey<String> ERROR_TYPE = AttributeKey.stringKey("error.type");

  private final Instruments instruments;
  private final Target target;
  private final String name;
  private final Context context;
  private final Span span;
  private final long startNanos = System.nanoTime();
  private final AtomicBoolean ended = new AtomicBoolean();

  ClientOperation(Tracer tracer, Instruments instruments, Target target, String name) {
    this.instruments = instruments;
    this.target = target;
    this.name = name;
    boolean store = target == Target.OBJECT_STORE;
    this.span =
        tracer
            .spanBuilder(store ? "S3 " + name : name + " " + target.id)
            .setSpanKind(SpanKind.CLIENT)
            .setAttribute(store ? RPC_SYSTEM : DB_SYSTEM, store ? "aws-api" : target.id)
            .setAttribute(store ? RPC_METHOD : DB_OPERATION, name)
            .setAttribute(PEER, target.id)
            .startSpan();
    this.context = Context.current().with(span);
  }

  /** Adds a span attribute, for example {@code db.query.text}. */
  public ClientOperation attribute(String key, String value) {
    span.setAttribute(key, value);
    return this;
  }

  /** Ends the operation as successful. */
  public void end() {
    end(null);
  }

  /** Ends the operation, as failed if there is an error. Further calls have no effect. */
  public void end(@Nullable Throwable error) {
    if (!ended.compareAndSet(false, true)) {
      return;
    }
    try (Scope ignored = context.makeCurrent()) {
      record(Duration.ofNanos(System.nanoTime() - startNanos), error != null);
    }
    if (error != null) {
      span.setStatus(StatusCode.ERROR, error.getClass().getSimpleName());
      span.setAttribute(ERROR_TYPE, error.getClass().getName());
    }
    span.end();
  }

  private void record(Duration duration, boolean failed) {
    if (target == Target.OBJECT_STORE) {
      instruments.record(Metric.OBJECT_STORE_OPERATION_DURATION, duration, name);
      if (failed) {
        instruments.add(Metric.OBJECT_STORE_OPERATION_ERRORS, 1, name);
      }
      return;
    }
    instruments.record(Metric.DB_CLIENT_OPERATION_DURATION, duration, target.id, name);
    if (failed) {
      instruments.add(Metric.DB_CLIENT_OPERATION_ERRORS, 1, target.id, name);
    }
  }
}
