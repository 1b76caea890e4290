package dev.jarvis.storage;

import dev.failsafe.CircuitBreaker;
import java.time.Duration;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps requests from waiting for a Redis that does not answer: each wait is limited, and after
 * three failures in a row Redis is asked by one at a time, every two seconds. Thread-safe.
 */
public final class RedisGuard {
  private static final Logger LOG = LoggerFactory.getLogger(RedisGuard.class);
  private static final int FAILURES = 3;
  private static final Duration OPEN_TIME = Duration.ofSeconds(2);

  private final Duration limit;
  private final CircuitBreaker<Object> breaker;

  /**
   * @param limit of each wait
   * @param onAway called when Redis is no longer asked
   * @param onBack called when it is asked again
   */
  public RedisGuard(Duration limit, Runnable onAway, Runnable onBack) {
    this.limit = limit;
    this.breaker =
        CircuitBreaker.builder()
            .withFailureThreshold(FAILURES)
            .withSuccessThreshold(1) // so that one call at a time tries whether Redis is back
            .withDelay(OPEN_TIME)
            .onOpen(it -> onAway.run())
            .onClose(it -> onBack.run())
            .build();
  }

  /** Whether everyone may ask Redis. */
  public boolean closed() {
    return breaker.isClosed();
  }

  /** Whether the caller may ask Redis; if so, it must wait for the answer here. */
  public boolean tryAcquire() {
    return breaker.tryAcquirePermit();
  }

  /** Asks Redis, if the caller may; null if it may not, or the answer fails or comes too late. */
  public <T> @Nullable T ask(Supplier<CompletableFuture<T>> question) {
    return tryAcquire() ? await(question.get()) : null;
  }

  /** Waits for an answer, null if it fails or comes too late. */
  public <T> @Nullable T await(CompletableFuture<T> answer) {
    return answered(answer) ? answer.getNow(null) : null;
  }

  /** Waits until Redis has answered; false if it fails or is late. */
  public boolean answered(CompletableFuture<?> answer) {
    boolean answered = false;
    try {
      answer.get(limit.toMillis(), TimeUnit.MILLISECONDS);
      answered = true;
    } catch (ExecutionException | TimeoutException | CancellationException e) {
      LOG.atDebug().setCause(e).log("redis did not answer");
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } finally { // in any case, or the permit would be lost and Redis never tried again
      record(answered);
    }
    return answered;
  }

  private void record(boolean answered) {
    if (answered) {
      breaker.recordSuccess();
    } else {
      breaker.recordFailure();
    }
  }
}
