package dev.jarvis.routing;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Optional;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Opens after 5 failures in the last 10 attempts, for 10 s; then lets one attempt through, which
 * closes it as soon as the target begins to answer, or opens it again. An attempt that the client
 * aborted counts neither way. (Failsafe's breaker cannot give back the permit of such an attempt.)
 * Thread-safe.
 */
final class CircuitBreaker {
  static final Duration PAUSE = Duration.ofSeconds(10);

  private static final int FAILURES = 5;
  private static final int OF = 10;

  private final LongSupplier nanoTime;
  private final Deque<Boolean> failures = new ArrayDeque<>();
  private boolean tripped;
  private int trips;
  private long openedAt;
  private @Nullable Attempt trial;

  CircuitBreaker(LongSupplier nanoTime) {
    this.nanoTime = nanoTime;
  }

  /** Whether no further attempt is let through now. */
  synchronized boolean open() {
    return tripped && (trial != null || nanoTime.getAsLong() - openedAt < PAUSE.toNanos());
  }

  /** An attempt, unless the breaker is open. */
  synchronized Optional<Attempt> attempt() {
    return open() ? Optional.empty() : Optional.of(begin());
  }

  /** An attempt that is made whatever is known, because no other target is left. */
  synchronized Attempt lastResort() {
    return begin();
  }

  private Attempt begin() {
    Attempt attempt = new Attempt(trips);
    if (tripped && !open()) {
      trial = attempt;
    }
    return attempt;
  }

  /** One attempt; exactly one of its methods but {@link #began} ends it. */
  final class Attempt {
    private final int begunAfterTrips;

    private Attempt(int begunAfterTrips) {
      this.begunAfterTrips = begunAfterTrips;
    }

    void succeeded() {
      synchronized (CircuitBreaker.this) {
        if (!stale()) {
          tripped = false;
          trial = null;
          record(false);
        }
      }
    }

    /** The target has begun to answer: that is what a trial is for, however long the answer is. */
    void began() {
      synchronized (CircuitBreaker.this) {
        if (trial == this) {
          tripped = false;
          trial = null;
        }
      }
    }

    void failed() {
      synchronized (CircuitBreaker.this) {
        if (trial == this) {
          trip();
        } else if (!stale() && !tripped) {
          record(true);
        }
      }
    }

    /** An attempt from before the breaker opened says nothing of the time since. */
    private boolean stale() {
      return begunAfterTrips != trips;
    }

    /** The attempt ended without a verdict on the target. */
    void aborted() {
      synchronized (CircuitBreaker.this) {
        if (trial == this) {
          trial = null;
        }
      }
    }
  }

  private void record(boolean failed) {
    failures.addLast(failed);
    if (failures.size() > OF) {
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
