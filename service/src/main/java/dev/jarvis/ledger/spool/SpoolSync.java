package dev.jarvis.ledger.spool;

import dev.jarvis.error.OutOfMemory;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The thread that brings the spool's records to the disk, many with one fsync. */
final class SpoolSync {
  /** A record waits as long as this for others, unless somebody waits for it. */
  static final Duration GROUP = Duration.ofMillis(25);

  private static final Logger LOG = LoggerFactory.getLogger(SpoolSync.class);
  private static final Duration RETRY = Duration.ofMillis(500);
  private static final Duration IDLE = Duration.ofMinutes(1);
  private static final Duration CLOSE_LIMIT = Duration.ofSeconds(5);

  private final Spool spool;
  private final ReentrantLock lock;
  private final Condition work;
  private final Condition urgent;
  private final Condition synced;
  private final Thread thread;
  private final AtomicBoolean failing = new AtomicBoolean();
  private boolean dirty;
  private int waiters;
  private long durable;
  private boolean closed;

  /** What must be brought to the disk, and the ticket of the last record in it. */
  record Work(List<Segment> segments, long ticket) {}

  SpoolSync(Spool spool, ReentrantLock lock) {
    this.spool = spool;
    this.lock = lock;
    this.work = lock.newCondition();
    this.urgent = lock.newCondition();
    this.synced = lock.newCondition();
    // of the platform: an fsync would hold a virtual thread's carrier
    this.thread = Thread.ofPlatform().daemon().name("ledger-spool-sync").unstarted(this::run);
  }

  void start() {
    thread.start();
  }

  /** There is something to do; the caller has the lock. */
  void wake() {
    dirty = true;
    work.signal();
  }

  /** Whether the last attempt failed. */
  boolean failing() {
    return failing.get();
  }

  boolean await(long ticket, Duration limit) throws InterruptedException {
    lock.lockInterruptibly();
    try {
      waiters++;
      urgent.signal();
      long left = limit.toNanos();
      while (durable < ticket && left > 0) {
        left = synced.awaitNanos(left);
      }
      return durable >= ticket;
    } finally {
      waiters--;
      lock.unlock();
    }
  }

  private void run() {
    while (awaitWork()) {
      if (!syncAll()) {
        pause(RETRY);
      }
    }
  }

  @SuppressWarnings("WaitNotInLoop") // a spurious wake-up only syncs earlier
  private boolean awaitWork() {
    lock.lock();
    try {
      if (!dirty && !closed) {
        work.awaitNanos(IDLE.toNanos()); // then what is too old is deleted
      }
      if (dirty && !closed && waiters == 0) {
        urgent.awaitNanos(GROUP.toNanos());
      }
      dirty = false;
      return !closed;
    } catch (InterruptedException e) {
      return false;
    } finally {
      lock.unlock();
    }
  }

  private boolean syncAll() {
    Work todo = spool.work();
    try {
      for (Segment segment : todo.segments()) {
        segment.sync();
      }
      durable(todo.ticket());
      spool.prune(false);
    } catch (IOException | RuntimeException | Error e) { // an Error would end the thread
      failed(e);
      return false;
    }
    if (failing.compareAndSet(true, false)) {
      LOG.info("the ledger's files are written again");
    }
    return true;
  }

  private void durable(long ticket) {
    lock.lock();
    try {
      durable = ticket;
      synced.signalAll();
    } finally {
      lock.unlock();
    }
  }

  private void failed(Throwable e) {
    OutOfMemory.endProcessIf(e);
    if (failing.compareAndSet(false, true)) {
      LOG.atError()
          .addKeyValue("error", e.getMessage())
          .setCause(e)
          .log("the ledger's files cannot be written: new calls are refused");
    }
    lock.lock();
    try {
      dirty = true;
    } finally {
      lock.unlock();
    }
    try {
      spool.prune(spool.diskFull());
    } catch (RuntimeException | Error again) {
      LOG.atError().setCause(again).log("the ledger's files cannot be deleted");
    }
  }

  @SuppressWarnings("WaitNotInLoop") // a spurious wake-up only tries earlier
  private void pause(Duration time) {
    lock.lock();
    try {
      if (!closed) {
        urgent.awaitNanos(time.toNanos());
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } finally {
      lock.unlock();
    }
  }

  /**
   * Syncs once more, if the disk answers in time.
   *
   * @return whether all is on the disk
   */
  boolean close() {
    lock.lock();
    try {
      closed = true;
      work.signal();
      urgent.signalAll();
    } finally {
      lock.unlock();
    }
    try {
      return thread.join(CLOSE_LIMIT) && syncAll();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }
}
