package dev.jarvis.identity;

import dev.jarvis.error.OutOfMemory;
import dev.jarvis.storage.Database;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;

/**
 * Looks every two seconds whether identities have changed, by any replica, and then reloads what is
 * in memory.
 */
final class IdentitySync implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(IdentitySync.class);
  private static final Duration PERIOD = Duration.ofSeconds(2);

  /** Longer than a poll may take by the database's default limits. */
  private static final Duration LOCK_LIMIT = Duration.ofSeconds(10);

  private static final Duration CLOSE_LIMIT = Duration.ofSeconds(2);

  private final LongSupplier version;
  private final List<KnownCache<?>> caches;
  private final LongSupplier nanoTime;
  private final List<Runnable> listeners = new CopyOnWriteArrayList<>();
  private final ReentrantLock lock = new ReentrantLock();
  private final CountDownLatch closed = new CountDownLatch(1);
  private final Thread thread;
  private long seen = -1; // guarded by lock
  private volatile long syncedNanos;
  private volatile boolean failing;

  /**
   * @param version reads the version of the identities from the database
   */
  IdentitySync(LongSupplier version, List<KnownCache<?>> caches, LongSupplier nanoTime) {
    this.version = version;
    this.caches = List.copyOf(caches);
    this.nanoTime = nanoTime;
    this.syncedNanos = nanoTime.getAsLong();
    this.thread = Thread.ofVirtual().name("identity-sync").start(this::loop);
  }

  /** Has what else depends on the version read again when it changes. */
  void onChange(Runnable listener) {
    listeners.add(listener);
  }

  /** How long ago this replica knew the current state. */
  Duration age() {
    return Duration.ofNanos(Math.max(0, nanoTime.getAsLong() - syncedNanos));
  }

  private void loop() {
    try {
      do {
        sync();
      } while (!closed.await(PERIOD.toMillis(), TimeUnit.MILLISECONDS));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt(); // by close()
    }
  }

  /** Has this replica see now what is committed; if the database is unavailable, later. */
  void sync() throws InterruptedException {
    if (!lock.tryLock(LOCK_LIMIT.toMillis(), TimeUnit.MILLISECONDS)) {
      return; // the poll that runs fails, and the next one sees the change
    }
    try {
      long started = nanoTime.getAsLong();
      long current = version.getAsLong();
      if (current != seen) {
        for (KnownCache<?> cache : caches) {
          cache.reload(current);
        }
        listeners.forEach(Runnable::run);
        seen = current;
      }
      syncedNanos = started;
      succeeded();
    } catch (Throwable e) { // whatever it is, the next poll must take place
      OutOfMemory.endProcessIf(e);
      failed(e);
    } finally {
      lock.unlock();
    }
  }

  private void succeeded() {
    if (failing) {
      failing = false;
      LOG.atInfo().log("users and keys are up to date again");
    }
  }

  private void failed(Throwable e) {
    if (!failing && closed.getCount() > 0) {
      failing = true;
      LOG.atLevel(Database.isAway(e) ? Level.WARN : Level.ERROR)
          .setCause(e)
          .log("users and keys cannot be read; those in memory stay valid for identity.stale-for");
    }
  }

  @Override
  public void close() throws InterruptedException {
    closed.countDown();
    if (!thread.join(CLOSE_LIMIT)) {
      thread.interrupt(); // it waits for a database that does not answer
      thread.join(CLOSE_LIMIT);
    }
  }
}
