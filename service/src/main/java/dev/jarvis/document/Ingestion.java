package dev.jarvis.document;

import dev.jarvis.document.Document.Failure;
import dev.jarvis.document.DocumentTelemetry.Outcome;
import dev.jarvis.document.IngestQueue.Tries;
import dev.jarvis.document.extract.ExtractionException;
import dev.jarvis.error.ApiException;
import dev.jarvis.error.OutOfMemory;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.context.Scope;
import java.io.IOException;
import java.time.Duration;
import java.util.function.BooleanSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;

/**
 * One attempt at a document that a worker has claimed: it runs the stages and, if one fails,
 * postpones the document or ends its processing.
 */
final class Ingestion {
  private static final Logger LOG = LoggerFactory.getLogger(Ingestion.class);

  private static final Duration REINDEX_PAUSE = Duration.ofMinutes(15);

  private final IngestQueue queue;
  private final IngestStages stages;
  private final RetryPolicy retries;
  private final DocumentTelemetry telemetry;
  private final BooleanSupplier stopping;

  /**
   * @param stopping whether the process stops, which interrupts attempts
   */
  Ingestion(
      IngestQueue queue,
      IngestStages stages,
      RetryPolicy retries,
      DocumentTelemetry telemetry,
      BooleanSupplier stopping) {
    this.queue = queue;
    this.stages = stages;
    this.retries = retries;
    this.telemetry = telemetry;
    this.stopping = stopping;
  }

  void run(LeasedDocument leased, LeaseGuard guard) {
    Document document = leased.document();
    if (document.stage() == Stage.STORE || document.stage() == Stage.DELETE) {
      purge(leased);
      return;
    }
    Span span = telemetry.attempt(document);
    try (Scope ignored = span.makeCurrent()) { // also for what is recorded of a failure
      attempt(leased, guard);
    } finally {
      span.end();
    }
  }

  /** Makes the words of a searchable document again. */
  void reindex(LeasedDocument leased, LeaseGuard guard) {
    Document document = leased.document();
    try {
      stages.reindex(leased);
      LOG.atDebug().addKeyValue("file_id", document.fileId()).log("document_reindexed");
    } catch (IngestStages.LeaseLost e) {
      // deleted or retried meanwhile
    } catch (Exception e) {
      OutOfMemory.endProcessIf(e);
      guard.end(); // an interrupt must not prevent the end of the lease from being recorded
      if (guard.lost()) {
        return;
      }
      boolean stopped = stopping.getAsBoolean();
      if (stopped) {
        queue.releaseReindex(leased);
      } else {
        queue.postponeReindex(leased, REINDEX_PAUSE);
      }
      LOG.atLevel(stopped ? Level.DEBUG : Level.WARN)
          .addKeyValue("file_id", document.fileId())
          .addKeyValue("error", e.toString())
          .log("document_reindex_postponed");
    }
  }

  private void purge(LeasedDocument leased) {
    try {
      stages.purge(leased);
    } catch (IOException | RuntimeException e) {
      // a worker claims it again when the lease ends, without a limit of attempts
      LOG.atDebug().setCause(e).log("the bytes of a deleted file cannot be deleted yet");
    }
  }

  private void attempt(LeasedDocument leased, LeaseGuard guard) {
    Document document = leased.document();
    if (document.progress().attemptsSinceProgress() > retries.maxAttempts()) {
      // the last attempts recorded no failure, so their processes died
      fail(
          leased,
          Outcome.ERROR,
          new Failure(
              "worker_lost",
              "The process that worked on the file ended unexpectedly at every attempt."),
          guard.stage());
      return;
    }
    try {
      queue.trace(leased, TraceParent.current());
      Duration sinceQueued = stages.run(leased, guard::enter);
      telemetry.processed(Outcome.OK, document);
      telemetry.searchable(sinceQueued);
      LOG.atInfo()
          .addKeyValue("file_id", document.fileId())
          .addKeyValue("user_id", document.userId())
          .log("document_processed");
    } catch (Exception e) {
      OutOfMemory.endProcessIf(e);
      Span.current().setStatus(StatusCode.ERROR, e.getClass().getSimpleName());
      guard.end(); // an interrupt must not prevent the failure from being recorded
      if (!guard.lost()) {
        failed(leased, guard.stage(), e);
      }
    }
  }

  private void failed(LeasedDocument leased, Stage stage, Exception e) {
    switch (e) {
      case IngestStages.LeaseLost it -> {}
      case Exception it when stopping.getAsBoolean() -> queue.release(leased);
      case ExtractionException it ->
          fail(
              leased,
              Outcome.REJECTED,
              new Failure(it.code(), String.valueOf(it.getMessage())),
              stage);
      default ->
          queue
              .tries(leased) // empty if it was deleted meanwhile
              .ifPresent(
                  it -> {
                    if (RetryPolicy.isDeferral(e)) {
                      defer(leased, it, stage, e);
                    } else {
                      postpone(leased, it, stage, e);
                    }
                  });
    }
  }

  private void postpone(LeasedDocument leased, Tries tries, Stage stage, Exception e) {
    Failure failure = RetryPolicy.failure(e);
    if (tries.attempts() >= retries.maxAttempts() || PassageEmbedding.isTooLong(e)) {
      fail(leased, Outcome.ERROR, failure, stage);
    } else if (queue.postpone(leased, failure, retries.pause(tries.attempts(), e))) {
      telemetry.retried(stage);
      log(Level.WARN, "document_postponed", leased, stage, failure, e);
    }
  }

  /**
   * The document waits for capacity, which is not an attempt, but it does not wait for ever; or for
   * its owner's budget, for as long as that takes.
   */
  private void defer(LeasedDocument leased, Tries tries, Stage stage, Exception e) {
    Failure reason = RetryPolicy.failure(e);
    boolean budget = e instanceof ApiException.BudgetExceeded;
    if (budget && queue.pause(leased, reason, retries.longestPause())) {
      telemetry.deferred(stage);
      log(Level.INFO, "document_paused", leased, stage, reason, e);
    } else if (!budget && tries.deferrals() >= retries.maxDeferrals()) {
      fail(leased, Outcome.ERROR, reason, stage);
    } else if (!budget && queue.defer(leased, reason, retries.pause(tries.deferrals() + 1, e))) {
      telemetry.deferred(stage);
      log(Level.INFO, "document_deferred", leased, stage, reason, e);
    }
  }

  private static void log(
      Level level, String event, LeasedDocument leased, Stage stage, Failure failure, Exception e) {
    Document document = leased.document();
    LOG.atLevel(level)
        .addKeyValue("file_id", document.fileId())
        .addKeyValue("user_id", document.userId())
        .addKeyValue("stage", stage.id())
        .addKeyValue("error", e.toString())
        .setCause(failure.code().equals("internal_error") ? e : null)
        .log(event);
  }

  private void fail(LeasedDocument leased, Outcome outcome, Failure failure, Stage stage) {
    Document document = leased.document();
    if (!queue.fail(leased, failure, outcome == Outcome.REJECTED)) {
      return; // deleted meanwhile
    }
    telemetry.processed(outcome, document);
    LOG.atWarn()
        .addKeyValue("file_id", document.fileId())
        .addKeyValue("user_id", document.userId())
        .addKeyValue("stage", stage.id())
        .addKeyValue("code", failure.code())
        .addKeyValue("error", failure.message())
        .log("document_given_up");
  }
}
