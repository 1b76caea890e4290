package dev.jarvis.telemetry;

import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.ILoggingEvent;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanContext;
import java.time.Duration;
import java.util.concurrent.atomic.LongAdder;
import net.logstash.logback.appender.LoggingEventAsyncDisruptorAppender;
import org.jspecify.annotations.Nullable;
import org.slf4j.LoggerFactory;
import org.slf4j.MDC;

/**
 * Writes log lines on a dedicated platform thread from a bounded queue, so that a stalled reader of
 * stdout blocks no request. A line that does not fit into the queue is dropped and counted in
 * {@code log_lines_dropped_total}. Configured in logback.xml.
 */
public final class LogOutput extends LoggingEventAsyncDisruptorAppender {
  private static final LongAdder DROPPED_BEFORE_START = new LongAdder();
  private static volatile @Nullable Instruments counters;

  /** Uses these instruments from now on, and adds the lines that were dropped before. */
  static void countIn(Instruments instruments) {
    counters = instruments;
    instruments.add(Metric.LOG_LINES_DROPPED, (double) DROPPED_BEFORE_START.sumThenReset());
  }

  /**
   * Stops logging after writing the queued lines, or at the time limit: if nobody reads stdout, the
   * process would not end otherwise.
   */
  public static void stop(Duration limit) {
    if (LoggerFactory.getILoggerFactory() instanceof LoggerContext context) {
      Thread stopping = Thread.ofPlatform().daemon().name("log-output-stop").start(context::stop);
      try {
        stopping.join(limit);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
  }

  /** Captures the span here, because it is current only on the thread that logs. */
  @Override
  protected void prepareForDeferredProcessing(ILoggingEvent event) {
    SpanContext span = Span.current().getSpanContext();
    if (!span.isValid()) {
      super.prepareForDeferredProcessing(event);
      return;
    }
    try (MDC.MDCCloseable trace = MDC.putCloseable("trace_id", span.getTraceId());
        MDC.MDCCloseable id = MDC.putCloseable("span_id", span.getSpanId())) {
      super.prepareForDeferredProcessing(event);
    }
  }

  @Override
  protected void fireEventAppendFailed(ILoggingEvent event, Throwable reason) {
    Instruments to = counters;
    if (to == null) {
      DROPPED_BEFORE_START.increment();
    } else {
      to.add(Metric.LOG_LINES_DROPPED, 1);
    }
    super.fireEventAppendFailed(event, reason);
  }
}
