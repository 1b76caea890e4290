package dev.jarvis.document;

import dev.jarvis.error.OutOfMemory;
import dev.jarvis.storage.Database;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.BiConsumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;

/**
 * Threads that claim documents from the queue, one at a time each, and renew the leases while they
 * process them. Any number of processes may run workers on the same queue.
 */
final class Workers implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Workers.class);
  private static final Duration POLL_PERIOD = Duration.ofSeconds(1);
  private static final Duration CLOSE_LIMIT = Duration.ofSeconds(2);
  private static final int RENEWALS_PER_LEASE = 3;

  private final int count;
  private final int maxAttempts;
  private final Duration lease;
  private final Duration renewalPeriod;
  private final IngestQueue queue;
  private final Ingestion ingestion;
  private final Semaphore wakeups = new Semaphore(0);
  private final List<Thread> threads = new ArrayList<>();
  private final ScheduledThreadPoolExecutor renewals;
  private volatile boolean closed;

  /** Of the worker that makes old words again; the others wait for users' uploads. */
  private final Semaphore reindexing = new Semaphore(1);

  private boolean reindexed; // guarded by the permit of reindexing

  Workers(
      DocumentConfig config, IngestQueue queue, IngestStages stages, DocumentTelemetry telemetry) {
    this(config, queue, stages, telemetry, config.work().lease().dividedBy(RENEWALS_PER_LEASE));
  }

  Workers(
      DocumentConfig config,
      IngestQueue queue,
      IngestStages stages,
      DocumentTelemetry telemetry,
      Duration renewalPeriod) {
    this.count = config.work().workers();
    this.maxAttempts = config.work().maxAttempts();
    this.lease = config.work().lease();
    this.renewalPeriod = renewalPeriod;
    this.queue = queue;
    this.ingestion = new Ingestion(queue, stages, new RetryPolicy(config), telemetry, () -> closed);
    renewals =
        new ScheduledThreadPoolExecutor(
            2, Thread.ofPlatform().daemon().name("documents-leases-", 0).factory());
    renewals.setRemoveOnCancelPolicy(true);
  }

  void start() {
    for (int i = 0; i < count; i++) {
      // platform threads: dividing a text would occupy a carrier of virtual threads
      threads.add(Thread.ofPlatform().daemon().name("document-worker-" + i).start(this::loop));
    }
  }

  /** Has a worker look at the queue now instead of within a second. */
  void wake() {
    wakeups.release();
  }

  private void loop() {
    while (!closed) {
      try {
        if (!step() && wakeups.tryAcquire(POLL_PERIOD.toMillis(), TimeUnit.MILLISECONDS)) {
          wakeups.drainPermits();
        }
      } catch (InterruptedException e) {
        // by close(), which the loop's condition checks, or by a lease that was lost
      } catch (Throwable e) { // whatever it is, the worker must process the next document
        OutOfMemory.endProcessIf(e);
        LOG.atLevel(closed || Database.isAway(e) ? Level.DEBUG : Level.ERROR)
            .setCause(e)
            .log("a document worker failed");
        pause();
      }
    }
  }

  private static void pause() {
    try {
      Thread.sleep(POLL_PERIOD);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Processes one document; returns false if none is due. */
  private boolean step() {
    Optional<LeasedDocument> claimed = queue.claim(lease);
    if (claimed.isPresent()) {
      process(claimed.get(), ingestion::run);
      return true;
    }
    if (!reindexing.tryAcquire()) {
      return false;
    }
    try {
      return reindex();
    } finally {
      reindexing.release();
    }
  }

  private boolean reindex() {
    Optional<LeasedDocument> outdated =
        queue.claimOutdated(IngestStages.INDEX_VERSION, maxAttempts, lease);
    if (outdated.isPresent() != reindexed) { // it begins or ends
      reindexed = outdated.isPresent();
      LOG.atInfo()
          .addKeyValue("outdated", queue.stats(IngestStages.INDEX_VERSION).outdated())
          .log(reindexed ? "documents_reindexing" : "documents_reindexed");
    }
    outdated.ifPresent(it -> process(it, ingestion::reindex));
    return outdated.isPresent();
  }

  private void process(LeasedDocument leased, BiConsumer<LeasedDocument, LeaseGuard> work) {
    LeaseGuard guard = new LeaseGuard(leased.document().stage());
    long period = renewalPeriod.toMillis();
    ScheduledFuture<?> renewal =
        renewals.scheduleWithFixedDelay(
            () -> renew(leased, guard), period, period, TimeUnit.MILLISECONDS);
    try {
      work.accept(leased, guard);
    } finally {
      renewal.cancel(false);
      guard.end();
    }
  }

  private void renew(LeasedDocument leased, LeaseGuard guard) {
    try {
      if (!queue.renew(leased, lease)) {
        guard.lose();
      }
    } catch (RuntimeException e) {
      LOG.atDebug().setCause(e).log("a lease was not renewed"); // the next renewal may be in time
    }
  }

  @Override
  public void close() throws InterruptedException {
    closed = true;
    long deadline = System.nanoTime() + CLOSE_LIMIT.toNanos();
    for (Thread thread : threads) {
      thread.interrupt();
    }
    for (Thread thread : threads) {
      thread.join(Duration.ofNanos(Math.max(1, deadline - System.nanoTime())));
    }
    renewals.shutdownNow(); // a worker that has just claimed a document renews its lease
  }
}
