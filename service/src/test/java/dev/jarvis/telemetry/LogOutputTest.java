package dev.jarvis.telemetry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.AppenderBase;
import dev.jarvis.storage.Recorded;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.context.Scope;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.slf4j.MDC;

/** Log output with a stdout that the test can stall. */
@Timeout(30)
class LogOutputTest {
  private static final int QUEUE = 16;

  private final CountDownLatch readable = new CountDownLatch(1);
  private final List<ILoggingEvent> written = new CopyOnWriteArrayList<>();
  private final List<Thread> writers = new CopyOnWriteArrayList<>();
  private final LoggerContext context = new LoggerContext();
  private final Logger logger = context.getLogger("test");
  private Telemetry telemetry;

  /** A stdout that blocks until the test reads it. */
  private final class Stdout extends AppenderBase<ILoggingEvent> {
    @Override
    protected void append(ILoggingEvent event) {
      try {
        readable.await();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return;
      }
      writers.add(Thread.currentThread());
      written.add(event);
    }
  }

  @BeforeEach
  void start() {
    telemetry = Recorded.start();
    context.setMDCAdapter(MDC.getMDCAdapter());
    Stdout stdout = new Stdout();
    stdout.setContext(context);
    stdout.start();
    LogOutput output = new LogOutput();
    output.setContext(context);
    output.setRingBufferSize(QUEUE);
    output.setAddDefaultStatusListener(false);
    output.addAppender(stdout);
    output.start();
    logger.addAppender(output);
  }

  @AfterEach
  void stop() {
    readable.countDown();
    context.stop();
    telemetry.close();
  }

  @Test
  void linesThatDoNotFitAreDroppedAndCounted() {
    for (int i = 0; i < 100; i++) {
      logger.info("line {}", i);
    }

    assertThat(Recorded.value(Metric.LOG_LINES_DROPPED)).hasValue(100L - QUEUE);
    readable.countDown();
    await().atMost(Duration.ofSeconds(10)).until(() -> written.size() == QUEUE);
    assertThat(written.getFirst().getFormattedMessage()).isEqualTo("line 0");
    assertThat(written.getLast().getFormattedMessage()).isEqualTo("line " + (QUEUE - 1));
  }

  @Test
  void theCounterAppearsAtTheStart() {
    assertThat(Recorded.value(Metric.LOG_LINES_DROPPED)).hasValue(0L);
  }

  @Test
  void aLineKeepsTheTraceAndTheRequestOfTheThreadThatLogged() throws Exception {
    readable.countDown();
    Span span = telemetry.tracer().spanBuilder("request").startSpan();
    Thread.ofVirtual()
        .start(
            () -> {
              try (Scope ignored = span.makeCurrent();
                  MDC.MDCCloseable id = MDC.putCloseable("request_id", "r1")) {
                logger.info("inside");
              }
              logger.info("outside");
            })
        .join();

    await().atMost(Duration.ofSeconds(10)).until(() -> written.size() == 2);
    assertThat(written.getFirst().getMDCPropertyMap())
        .containsExactlyInAnyOrderEntriesOf(
            Map.of(
                "trace_id", span.getSpanContext().getTraceId(),
                "span_id", span.getSpanContext().getSpanId(),
                "request_id", "r1"));
    assertThat(written.getLast().getMDCPropertyMap()).isEmpty();
    assertThat(writers)
        .as("a platform thread, so that thread-local buffers are created only once")
        .noneMatch(Thread::isVirtual);
  }
}
