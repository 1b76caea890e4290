package dev.jarvis.document;

import dev.jarvis.document.extract.MediaType;
import dev.jarvis.telemetry.Instruments;
import dev.jarvis.telemetry.Metric;
import dev.jarvis.telemetry.Telemetry;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanBuilder;
import io.opentelemetry.api.trace.SpanContext;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.api.trace.propagation.W3CTraceContextPropagator;
import io.opentelemetry.context.Context;
import io.opentelemetry.context.Scope;
import io.opentelemetry.context.propagation.TextMapGetter;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntConsumer;
import org.jspecify.annotations.Nullable;

/** Spans and metrics of documents on their way to the index. */
public final class DocumentTelemetry {
  private static final String TRACEPARENT = "traceparent";
  private static final TextMapGetter<Map<String, String>> GETTER =
      new TextMapGetter<>() {
        @Override
        public Iterable<String> keys(Map<String, String> carrier) {
          return carrier.keySet();
        }

        @Override
        public @Nullable String get(@Nullable Map<String, String> carrier, String key) {
          return carrier == null ? null : carrier.get(key);
        }
      };

  /** How the processing of a document ends. */
  enum Outcome {
    OK,
    /** Given up by our fault, or that of what we need. */
    ERROR,
    /** The file's own fault. */
    REJECTED;

    String id() {
      return name().toLowerCase(java.util.Locale.ROOT);
    }
  }

  /** Work that may fail in any way. */
  interface Work<T> {
    T run() throws Exception;
  }

  /** The same without a result. */
  interface Task {
    void run() throws Exception;
  }

  private final Telemetry telemetry;
  private final Instruments instruments;

  DocumentTelemetry(Telemetry telemetry) {
    this.telemetry = telemetry;
    this.instruments = telemetry.instruments();
    for (MediaType type : MediaType.values()) {
      for (Outcome outcome : Outcome.values()) {
        instruments.add(Metric.DOCUMENTS_PROCESSED, 0, outcome.id(), type.id());
      }
    }
    for (Stage stage : List.of(Stage.EXTRACT, Stage.CHUNK, Stage.EMBED, Stage.INDEX)) {
      instruments.add(Metric.DOCUMENTS_RETRIES, 0, stage.id());
    }
    for (String operation : List.of("PutObject", "GetObject", "DeleteObject")) {
      instruments.add(Metric.OBJECT_STORE_OPERATION_ERRORS, 0, operation);
    }
  }

  /** Counts the uploads that wait for a permit. */
  IntConsumer waiting() {
    return change -> instruments.add(Metric.DOCUMENTS_WAITING_REQUESTS, change, "upload");
  }

  /** The current span, to be linked to from other traces. */
  static String current() {
    Map<String, String> carrier = new HashMap<>();
    W3CTraceContextPropagator.getInstance()
        .inject(
            Context.current(),
            carrier,
            (map, key, value) -> {
              if (map != null) {
                map.put(key, value);
              }
            });
    return carrier.getOrDefault(TRACEPARENT, "");
  }

  public static SpanContext parse(String traceparent) {
    Context context =
        W3CTraceContextPropagator.getInstance()
            .extract(Context.root(), Map.of(TRACEPARENT, traceparent), GETTER);
    return Span.fromContext(context).getSpanContext();
  }

  /** A trace of its own for an attempt at a document, linked to what led to it. */
  Span attempt(Document document) {
    SpanBuilder builder =
        telemetry
            .tracer()
            .spanBuilder("process document")
            .setNoParent()
            .setSpanKind(SpanKind.CONSUMER)
            .setAttribute("jarvis.file_id", document.fileId())
            .setAttribute("jarvis.media_type", document.mediaType().id())
            .setAttribute("jarvis.attempt", document.attempts())
            .setAttribute("user.id", document.userId());
    SpanContext upload = parse(document.trace());
    return (upload.isValid() ? builder.addLink(upload) : builder).startSpan();
  }

  void stage(Stage stage, Task task) throws Exception {
    var ignored =
        stage(
            stage,
            () -> {
              task.run();
              return stage;
            });
  }

  <T> T stage(Stage stage, Work<T> work) throws Exception {
    long start = System.nanoTime();
    Span span = telemetry.tracer().spanBuilder(stage.id() + " document").startSpan();
    try (Scope ignored = span.makeCurrent()) {
      return work.run();
    } catch (Exception e) {
      span.setStatus(StatusCode.ERROR, e.getClass().getSimpleName());
      span.setAttribute("error.type", e.getClass().getName());
      throw e;
    } finally {
      try (Scope ignored = span.makeCurrent()) {
        instruments.record(
            Metric.DOCUMENTS_STAGE_DURATION,
            Duration.ofNanos(System.nanoTime() - start),
            stage.id());
      }
      span.end();
    }
  }

  void processed(Outcome outcome, MediaType type) {
    instruments.add(Metric.DOCUMENTS_PROCESSED, 1, outcome.id(), type.id());
  }

  void searchable(Duration sinceQueued) {
    instruments.record(Metric.DOCUMENTS_TIME_TO_SEARCHABLE, sinceQueued);
  }

  void retried(Stage stage) {
    instruments.add(Metric.DOCUMENTS_RETRIES, 1, stage.id());
  }
}
