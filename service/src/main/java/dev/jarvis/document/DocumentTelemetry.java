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
import io.opentelemetry.context.Scope;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.function.IntConsumer;

/** Spans and metrics of uploads and of the processing of documents. */
final class DocumentTelemetry {
  /** How the processing of a document ends. */
  enum Outcome {
    OK,
    /** Failed after the last attempt, through a fault of the service or of a dependency. */
    ERROR,
    /** The file is at fault. */
    REJECTED;

    String id() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /** The work of a stage, with a result. */
  interface Work<T> {
    T run() throws Exception;
  }

  /** The work of a stage, without a result. */
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
      instruments.add(Metric.DOCUMENTS_DEFERRALS, 0, stage.id());
    }
    for (String operation : List.of("PutObject", "GetObject", "DeleteObject")) {
      instruments.add(Metric.OBJECT_STORE_OPERATION_ERRORS, 0, operation);
    }
  }

  /** Counts the uploads that wait for a permit. */
  IntConsumer waiting() {
    return change -> instruments.add(Metric.DOCUMENTS_WAITING_REQUESTS, change, "upload");
  }

  /**
   * Starts the trace of an attempt at a document, with a link to the upload or the last attempt.
   */
  Span attempt(Document document) {
    SpanBuilder builder =
        telemetry
            .tracer()
            .spanBuilder("process document")
            .setNoParent()
            .setSpanKind(SpanKind.CONSUMER)
            .setAttribute("jarvis.file_id", document.fileId())
            .setAttribute("jarvis.media_type", document.file().mediaType())
            .setAttribute("jarvis.attempt", document.progress().attempts())
            .setAttribute("user.id", document.userId());
    SpanContext cause = TraceParent.parse(document.trace());
    return (cause.isValid() ? builder.addLink(cause) : builder).startSpan();
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

  void processed(Outcome outcome, Document document) {
    instruments.add(Metric.DOCUMENTS_PROCESSED, 1, outcome.id(), document.file().mediaType());
  }

  void searchable(Duration sinceQueued) {
    instruments.record(Metric.DOCUMENTS_TIME_TO_SEARCHABLE, sinceQueued);
  }

  void retried(Stage stage) {
    instruments.add(Metric.DOCUMENTS_RETRIES, 1, stage.id());
  }

  void deferred(Stage stage) {
    instruments.add(Metric.DOCUMENTS_DEFERRALS, 1, stage.id());
  }
}
