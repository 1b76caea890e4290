package dev.jarvis.document;

import dev.jarvis.document.IngestQueue.Stats;
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
 * Gauges of the queue, read from the database every few seconds. If that fails for a while, the
 * gauges are absent instead of stale.
 */
final class QueueGauges implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(QueueGauges.class);
  private static final Duration PERIOD = Duration.ofSeconds(5);

  /** After this many consecutive failures the gauges are absent. */
  private static final int MAX_FAILURES = 6;

  private final IngestQueue queue;
  private final List<AutoCloseable> gauges = new ArrayList<>();
  private final ScheduledThreadPoolExecutor clock;
  private volatile @Nullable Stats stats;
  private int failures;

  QueueGauges(IngestQueue queue, Instruments instruments) {
    this.queue = queue;
    gauge(instruments, Metric.DOCUMENTS_QUEUE_DEPTH, Stats::depth);
    gauge(instruments, Metric.DOCUMENTS_QUEUE_OLDEST_AGE, Stats::oldestAgeSeconds);
    gauge(instruments, Metric.DOCUMENTS_DEAD_LETTERS, Stats::deadLetters);
    gauge(instruments, Metric.DOCUMENTS_OUTDATED, Stats::outdated);
    read();
    clock =
        new ScheduledThreadPoolExecutor(
            1, Thread.ofPlatform().daemon().name("documents-queue").factory());
    var _ =
        clock.scheduleWithFixedDelay(
            this::read, PERIOD.toMillis(), PERIOD.toMillis(), TimeUnit.MILLISECONDS);
  }

  private void gauge(Instruments instruments, Metric metric, ToLongFunction<Stats> number) {
    gauges.add(
        instruments.gaugesByLabels(
            metric,
            () -> {
              Stats it = stats;
              return it == null ? Map.of() : Map.of(List.of(), number.applyAsLong(it));
            }));
  }

  private void read() {
    try {
      stats = queue.stats(IngestStages.INDEX_VERSION);
      failures = 0;
    } catch (RuntimeException e) { // /health reports that the database is unavailable
      LOG.atDebug().setCause(e).log("the statistics of the document queue cannot be read");
      if (++failures >= MAX_FAILURES) {
        stats = null;
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
