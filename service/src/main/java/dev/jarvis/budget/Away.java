package dev.jarvis.budget;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.UUID;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Knows who counts while Redis is away. PostgreSQL does after a grace period, in which every
 * replica notices it too and notes there what its calls hold. Thread-safe.
 */
final class Away {
  private static final Logger LOG = LoggerFactory.getLogger(Away.class);

  /** So long PostgreSQL is not asked after it has failed, so that calls need not wait for it. */
  private static final Duration FAILED_FOR = Duration.ofSeconds(5);

  private static final int MAX_RELEASED = 100_000;

  private final Duration grace;
  private final LongSupplier clock;
  private final Queue<UUID> released = new ConcurrentLinkedQueue<>();
  private volatile long since = -1;
  private volatile boolean announced;
  private volatile long databaseFailedAt = -1;

  /**
   * @param clock milliseconds of any epoch
   */
  Away(Duration grace, LongSupplier clock) {
    this.grace = grace;
    this.clock = clock;
  }

  /** Redis has not answered. */
  synchronized void noticed() {
    if (since < 0) {
      since = clock.getAsLong();
      announced = false;
      LOG.warn("budgets are not counted in redis: it does not answer");
    }
  }

  /** Redis has answered. */
  void over() {
    if (since >= 0) {
      synchronized (this) {
        since = -1;
        announced = false;
      }
      LOG.info("budgets are counted in redis again");
    }
  }

  boolean isAway() {
    return since >= 0;
  }

  /** Notes that PostgreSQL has what this replica's calls hold. */
  void announced() {
    announced = true;
  }

  /** Whether PostgreSQL knows what the calls of all replicas hold. */
  boolean databaseCounts() {
    long at = since;
    return at >= 0 && announced && clock.getAsLong() - at >= grace.toMillis() && databaseAnswers();
  }

  void databaseFailed() {
    databaseFailedAt = clock.getAsLong();
  }

  boolean databaseAnswers() {
    long at = databaseFailedAt;
    return at < 0 || clock.getAsLong() - at >= FAILED_FOR.toMillis();
  }

  /** Notes a call whose hold in PostgreSQL is to be given back. */
  void releaseLater(UUID call) {
    if (released.size() < MAX_RELEASED) {
      released.add(call);
    }
  }

  /** Takes the calls whose holds are to be given back. */
  List<UUID> released() {
    List<UUID> all = new ArrayList<>();
    for (UUID each = released.poll(); each != null; each = released.poll()) {
      all.add(each);
    }
    return all;
  }
}
