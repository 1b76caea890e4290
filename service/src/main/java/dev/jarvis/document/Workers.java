package dev.jarvis.document;

import dev.jarvis.document.Document.Failure;
import dev.jarvis.document.DocumentStore.Leased;
import dev.jarvis.document.DocumentTelemetry.Outcome;
import dev.jarvis.document.extract.ExtractionException;
import dev.jarvis.document.extract.ReaderUnavailableException;
import dev.jarvis.error.ApiException;
import dev.jarvis.error.OutOfMemory;
import dev.jarvis.storage.Database;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.context.Scope;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.Semaphore;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Takes documents from the queue, one by one for each worker. Any number of processes may do so.
 */
final class Workers implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Workers.class);
  private static final Duration POLL = Duration.ofSeconds(1);
  private static final Duration CLOSE_LIMIT = Duration.ofSeconds(2);
  private static final int RENEWALS_IN_A_LEASE = 3;

  private final DocumentConfig config;
  private final DocumentStore documents;
  private final Processing processing;
  private final DocumentTelemetry telemetry;
  private final Duration renewalPeriod;
  private final Semaphore work = new Semaphore(0);
  private final List<Thread> threads = new ArrayList<>();
  private final ScheduledThreadPoolExecutor clock;
  private volatile boolean closed;

  Workers(
      DocumentConfig config,
      DocumentStore documents,
      Processing processing,
      DocumentTelemetry telemetry) {
    this(
        config,
        documents,
        processing,
        telemetry,
        config.work().lease().dividedBy(RENEWALS_IN_A_LEASE));
  }

  Workers(
      DocumentConfig config,
      DocumentStore documents,
      Processing processing,
      DocumentTelemetry telemetry,
      Duration renewalPeriod) {
    this.config = config;
    this.documents = documents;
    this.processing = processing;
    this.telemetry = telemetry;
    this.renewalPeriod = renewalPeriod;
    clock =
        new ScheduledThreadPoolExecutor(
            2, Thread.ofPlatform().daemon().name("documents-leases-", 0).factory());
    clock.setRemoveOnCancelPolicy(true);
  }

  /** Begins to work on the queue. */
  void start() {
    for (int i = 0; i < config.work().workers(); i++) {
      // of the platform's, for they compute: all virtual threads would wait for a turn
      threads.add(Thread.ofPlatform().daemon().name("document-worker-" + i).start(this::loop));
    }
  }

  /** Says that there is something new in the queue; else it is looked at each second. */
  void wake() {
    work.release();
  }

  private void loop() {
    while (!closed) {
      try {
        if (!step() && work.tryAcquire(POLL.toMillis(), TimeUnit.MILLISECONDS)) {
          work.drainPermits();
        }
      } catch (InterruptedException e) {
        // closed, or a lease that was lost: the condition tells
      } catch (Throwable e) { // whatever it is, the next document must not wait for ever
        OutOfMemory.endProcessIf(e);
        LOG.atLevel(Database.isAway(e) ? org.slf4j.event.Level.DEBUG : org.slf4j.event.Level.ERROR)
            .setCause(e)
            .log("a worker on documents failed");
        pause();
      }
    }
  }

  private static void pause() {
    try {
      Thread.sleep(POLL);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Takes one document and works on it to its end; false if none is due. */
  private boolean step() throws InterruptedException {
    Optional<Leased> claimed = documents.claim(config.work().lease());
    if (claimed.isEmpty()) {
      return false;
    }
    Leased leased = claimed.get();
    Holding holding = new Holding(leased.document().stage());
    long period = renewalPeriod.toMillis();
    ScheduledFuture<?> renewal =
        clock.scheduleWithFixedDelay(
            () -> renew(leased, holding), period, period, TimeUnit.MILLISECONDS);
    try {
      process(leased, holding);
    } finally {
      renewal.cancel(false);
      holding.end();
    }
    return true;
  }

  private void renew(Leased leased, Holding holding) {
    try {
      if (!documents.renew(leased, config.work().lease())) {
        holding.lose();
      }
    } catch (RuntimeException e) {
      LOG.atDebug().setCause(e).log("a lease cannot be renewed"); // the next attempt may, in time
    }
  }

  private void process(Leased leased, Holding holding) {
    Document document = leased.document();
    if (document.stage() == Stage.STORE || document.stage() == Stage.DELETE) {
      purge(leased);
      return;
    }
    Span span = telemetry.attempt(document);
    try (Scope ignored = span.makeCurrent()) { // what is noted and logged of a failure is in it too
      attempt(leased, holding);
    } finally {
      span.end();
    }
  }

  private void attempt(Leased leased, Holding holding) {
    Document document = leased.document();
    if (document.attempts() > config.work().maxAttempts()) { // each of them ended without a word
      end(
          leased,
          Outcome.ERROR,
          new Failure("worker_lost", "The processes that worked on it died each time."),
          holding.stage());
      return;
    }
    try {
      documents.ingestion(leased, DocumentTelemetry.current());
      Duration waited = processing.process(leased, holding::enter);
      telemetry.processed(Outcome.OK, document.mediaType());
      telemetry.searchable(waited);
      LOG.atInfo()
          .addKeyValue("file_id", document.fileId())
          .addKeyValue("user_id", document.userId())
          .log("document_processed");
    } catch (Exception e) {
      OutOfMemory.endProcessIf(e);
      Span.current().setStatus(StatusCode.ERROR, e.getClass().getSimpleName());
      holding.end(); // what is noted now must not be interrupted
      if (!holding.lost()) {
        failed(leased, holding.stage(), e);
      }
    }
  }

  /** A worker's time with a document: it is interrupted in it only, and only if it lost it. */
  private static final class Holding {
    private final Thread worker = Thread.currentThread();
    private Stage stage;
    private boolean over;
    private boolean lost;

    Holding(Stage stage) {
      this.stage = stage;
    }

    synchronized void enter(Stage next) {
      stage = next;
    }

    synchronized Stage stage() {
      return stage;
    }

    synchronized void lose() {
      if (!over) {
        lost = true;
        worker.interrupt();
      }
    }

    /** Called by the worker; its interrupt is taken back. */
    synchronized void end() {
      over = true;
      Thread.interrupted();
    }

    synchronized boolean lost() {
      return lost;
    }
  }

  private void purge(Leased leased) {
    try {
      processing.purge(leased);
    } catch (IOException | RuntimeException e) {
      // the lease's end brings it back, for as long as it takes
      LOG.atDebug().setCause(e).log("a deleted file's bytes cannot be deleted yet");
    }
  }

  private void failed(Leased leased, Stage stage, Exception e) {
    switch (e) {
      case Processing.LeaseLost it -> {}
      case Exception it when closed -> documents.release(leased);
      case ExtractionException it ->
          end(
              leased,
              Outcome.REJECTED,
              new Failure(it.code(), String.valueOf(it.getMessage())),
              stage);
      default -> {
        Failure why = transientFailure(e);
        if (leased.document().attempts() >= config.work().maxAttempts()) {
          end(leased, Outcome.ERROR, why, stage);
          return;
        }
        if (!documents.again(leased, why, pause(leased.document().attempts()))) {
          return; // deleted meanwhile
        }
        telemetry.retried(stage);
        LOG.atWarn()
            .addKeyValue("file_id", leased.document().fileId())
            .addKeyValue("user_id", leased.document().userId())
            .addKeyValue("stage", stage.id())
            .addKeyValue("error", e.toString())
            .setCause(why.code().equals("internal_error") ? e : null)
            .log("document_postponed");
      }
    }
  }

  private void end(Leased leased, Outcome outcome, Failure why, Stage stage) {
    if (!documents.failed(leased, why, outcome == Outcome.REJECTED)) {
      return; // deleted meanwhile
    }
    telemetry.processed(outcome, leased.document().mediaType());
    LOG.atWarn()
        .addKeyValue("file_id", leased.document().fileId())
        .addKeyValue("user_id", leased.document().userId())
        .addKeyValue("stage", stage.id())
        .addKeyValue("code", why.code())
        .addKeyValue("error", why.message())
        .log("document_given_up");
  }

  /** Doubles, and differs by a tenth: what failed together need not come back together. */
  private Duration pause(int attempts) {
    Duration pause = config.work().firstRetry().multipliedBy(1L << Math.min(attempts - 1, 20));
    Duration least =
        pause.compareTo(config.work().longestRetry()) > 0 ? config.work().longestRetry() : pause;
    return least.plus(
        Duration.ofMillis(ThreadLocalRandom.current().nextLong(least.toMillis() / 10 + 1)));
  }

  private static Failure transientFailure(Exception e) {
    if (Database.isAway(e)) {
      return new Failure("database_unavailable", "The database could not be reached.");
    }
    if (e instanceof Processing.ModelChanged) {
      return new Failure(
          "embedding_model_changed",
          "Another model embeds by now; all passages are embedded anew.");
    }
    if (e instanceof ApiException) {
      return new Failure("embeddings_unavailable", String.valueOf(e.getMessage()));
    }
    if (e instanceof ReaderUnavailableException) {
      return new Failure("reader_unavailable", String.valueOf(e.getMessage()));
    }
    if (e instanceof IOException) {
      return new Failure("object_store_unavailable", "The stored file could not be read.");
    }
    return new Failure("internal_error", "An internal error; the log has its cause.");
  }

  @Override
  public void close() throws InterruptedException {
    closed = true;
    clock.shutdownNow();
    long deadline = System.nanoTime() + CLOSE_LIMIT.toNanos();
    for (Thread thread : threads) {
      thread.interrupt();
    }
    for (Thread thread : threads) {
      thread.join(Duration.ofNanos(Math.max(1, deadline - System.nanoTime())));
    }
  }
}
