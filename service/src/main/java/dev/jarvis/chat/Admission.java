package dev.jarvis.chat;

import dev.jarvis.http.ApiException;
import dev.jarvis.telemetry.Instruments;
import dev.jarvis.telemetry.Metric;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Lets so many requests ask models at once, so many more wait their turn for so long, and sends the
 * rest away. Thread-safe.
 */
public final class Admission {
  private final ChatConfig config;
  private final Instruments instruments;
  private final Semaphore turns;
  private final AtomicInteger waiting = new AtomicInteger();

  public Admission(ChatConfig config, Instruments instruments) {
    this.config = config;
    this.instruments = instruments;
    this.turns = new Semaphore(config.maxConcurrent(), true);
    instruments.add(Metric.LLM_WAITING_REQUESTS, 0);
  }

  /** A turn; closing it gives it to the next. */
  public interface Turn extends AutoCloseable {
    @Override
    void close();
  }

  /**
   * Waits for a turn; first come, first served.
   *
   * @throws ApiException.Overloaded if too many wait already, or the turn does not come in time
   */
  public Turn enter() {
    try {
      // Unlike tryAcquire(), the timed form does not overtake requests that already wait.
      if (!turns.tryAcquire(0, TimeUnit.SECONDS)) {
        queue();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new ApiException.Overloaded("The request was interrupted while it waited.");
    }
    return turns::release;
  }

  private void queue() throws InterruptedException {
    if (waiting.incrementAndGet() > config.maxQueued()) {
      waiting.decrementAndGet();
      throw new ApiException.Overloaded(
          "%d requests are being answered and %d wait; try again later."
              .formatted(config.maxConcurrent(), config.maxQueued()));
    }
    instruments.add(Metric.LLM_WAITING_REQUESTS, 1);
    try {
      if (!turns.tryAcquire(config.queueTimeout().toNanos(), TimeUnit.NANOSECONDS)) {
        throw new ApiException.Overloaded(
            "No turn came within %d ms; try again later."
                .formatted(config.queueTimeout().toMillis()));
      }
    } finally {
      waiting.decrementAndGet();
      instruments.add(Metric.LLM_WAITING_REQUESTS, -1);
    }
  }
}
