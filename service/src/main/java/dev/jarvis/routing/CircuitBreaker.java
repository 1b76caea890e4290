package dev.jarvis.routing;

import dev.jarvis.provider.ProviderException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Optional;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Opens after 5 failures in the last 10 attempts, for 10 s; then lets one trial attempt through,
 * which closes it as soon as the target begins to answer, or opens it again. An attempt that the
 * client aborted does not count. (Failsafe's breaker cannot take back the permit of such an
 * attempt.) Thread-safe.
 */
final class CircuitBreaker {
  static final Duration OPEN_TIME = Duration.ofSeconds(10);

  private static final int FAILURES = 5;
  private static final int ATTEMPTS = 10;

  private final LongSupplier nanoTime;

  /** Whether each of the last attempts failed, oldest first. */
  private final Deque<Boolean> failures = new ArrayDeque<>();

  private boolean tripped;
  private int trips;
  private long openedAt;
  private @Nullable Permit trial;

  /** What the end of an attempt says about the target. */
  enum Verdict {
    WORKED,
    FAILED,
    /** Nothing. */
    NONE;

    /** What a failure says about the target: whether it counts towards opening the breaker. */
    static Verdict of(ProviderException e) {
      return switch (e) {
        case ProviderException.Unavailable it -> FAILED;
        case ProviderException.TimedOut it -> FAILED;
        case ProviderException.Busy it -> FAILED;
        case ProviderException.Refused it -> WORKED;
        case ProviderException.NotFound it -> NONE;
      };
    }
  }

  CircuitBreaker(LongSupplier nanoTime) {
    this.nanoTime = nanoTime;
  }

  /** Whether no further attempt is let through now. */
  synchronized boolean open() {
    return tripped && (trial != null || nanoTime.getAsLong() - openedAt < OPEN_TIME.toNanos());
  }

  /** A permit for an attempt; empty if the breaker is open. */
  synchronized Optional<Permit> tryAcquire() {
    return open() ? Optional.empty() : Optional.of(create());
  }

  /** A permit even if the breaker is open, for the case that no other target is left. */
  synchronized Permit acquire() {
    return create();
  }

  private Permit create() {
    Permit permit = new Permit(trips);
    if (tripped && !open()) {
      trial = permit;
    }
    return permit;
  }

  /** The permit for one attempt; {@link #end} must be called exactly once. */
  final class Permit {
    private final int tripsBefore;

    private Permit(int tripsBefore) {
      this.tripsBefore = tripsBefore;
    }

    /** The target has begun to answer: a trial needs no more, however long the answer is. */
    void began() {
      synchronized (CircuitBreaker.this) {
        if (trial == this) {
          tripped = false;
          trial = null;
        }
      }
    }

    void end(Verdict verdict) {
      synchronized (CircuitBreaker.this) {
        switch (verdict) {
          case WORKED -> worked();
          case FAILED -> failed();
          case NONE -> trial = trial == this ? null : trial;
        }
      }
    }

    private void worked() {
      if (!stale()) {
        tripped = false;
        trial = null;
        record(false);
      }
    }

    private void failed() {
      if (trial == this) {
        trip();
      } else if (!stale() && !tripped) {
        record(true);
      }
    }

    /** An attempt that began before the breaker last opened says nothing about the time since. */
    private boolean stale() {
      return tripsBefore != trips;
    }
  }

  private void record(boolean failed) {
    failures.addLast(failed);
    if (failures.size() > ATTEMPTS) {
      failures.removeFirst();
    }
    if (failures.stream().filter(it -> it).count() >= FAILURES) {
      trip();
    }
  }

  private void trip() {
    tripped = true;
    trips++;
    openedAt = nanoTime.getAsLong();
    trial = null;
    failures.clear();
  }
}
