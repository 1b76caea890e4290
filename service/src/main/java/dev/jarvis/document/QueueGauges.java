package dev.jarvis.document;

import dev.jarvis.document.DocumentStore.Queue;
import dev.jarvis.telemetry.Instruments;
import dev.jarvis.telemetry.Metric;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.ToLongFunction;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The queue's numbers, read regularly: how many documents wait, for how long, and how many were
 * given up. Where they cannot be read for a while they are not reported, rather than as numbers
 * that are not known.
 */
final class QueueGauges implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(QueueGauges.class);
  private static final Duration PERIOD = Duration.ofSeconds(5);

  /** So many times in a row they may not be read. */
  private static final int PATIENCE = 6;

  private final DocumentStore documents;
  private final List<AutoCloseable> gauges = new ArrayList<>();
  private final ScheduledThreadPoolExecutor clock;
  private volatile @Nullable Queue queue;
  private int failures;

  QueueGauges(DocumentStore documents, Instruments instruments) {
    this.documents = documents;
    gauge(instruments, Metric.DOCUMENTS_QUEUE_DEPTH, Queue::depth);
    gauge(instruments, Metric.DOCUMENTS_QUEUE_OLDEST_AGE, Queue::oldestAgeSeconds);
    gauge(instruments, Metric.DOCUMENTS_DEAD_LETTERS, Queue::deadLetters);
    read();
    clock =
        new ScheduledThreadPoolExecutor(
            1, Thread.ofPlatform().daemon().name("documents-queue").factory());
    var _ =
        clock.scheduleWithFixedDelay(
            this::read, PERIOD.toMillis(), PERIOD.toMillis(), TimeUnit.MILLISECONDS);
  }

  private void gauge(Instruments instruments, Metric metric, ToLongFunction<Queue> number) {
    gauges.add(
        instruments.gaugesByLabels(
            metric,
            () -> {
              Queue it = queue;
              return it == null ? Map.of() : Map.of(List.of(), number.applyAsLong(it));
            }));
  }

  private void read() {
    try {
      queue = documents.queue();
      failures = 0;
    } catch (RuntimeException e) { // health tells that the database is away
      LOG.atDebug().setCause(e).log("the queue of documents cannot be read");
      if (++failures >= PATIENCE) {
        queue = null;
      }
    }
  }

  @Override
  public void close() throws Exception {
    clock.shutdownNow();
    for (AutoCloseable gauge : gauges) {
      gauge.close();
    }
  }
}
