package dev.jarvis.admin;

import dev.jarvis.document.FileStore;
import dev.jarvis.error.OutOfMemory;
import dev.jarvis.identity.AuditLog;
import dev.jarvis.identity.ErasureStore;
import dev.jarvis.identity.ErasureStore.Erasing;
import dev.jarvis.identity.UserStore;
import dev.jarvis.ledger.UserEntries;
import dev.jarvis.storage.Database;
import io.helidon.dbclient.DbExecute;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Erases deleted users in the background: their files, and their ids in the ledger and the audit
 * log. Works in small transactions, each with a lock on the user, so that one replica at a time
 * works on a user and another resumes where one has stopped.
 */
final class Erasure implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Erasure.class);
  private static final Duration CLOSE_LIMIT = Duration.ofSeconds(2);

  private final Database database;
  private final Times times;
  private final int batch;
  private final Semaphore wakeups = new Semaphore(0);
  private final Thread thread;
  private volatile boolean closed;
  private boolean failing; // used by the thread only
  private long calmNanos; // likewise

  /**
   * @param settling how long a call may go on that began before the user was deleted: until then
   *     the ledger may get further rows
   * @param recovery how long no user's erasure ends after PostgreSQL was away: meanwhile replicas
   *     write entries that they kept
   * @param pause between two looks for work
   */
  record Times(Duration settling, Duration recovery, Duration pause) {}

  /**
   * @param batch maximum number of rows of a table that one transaction changes
   */
  Erasure(Database database, Times times, int batch) {
    this.database = database;
    this.times = times;
    this.calmNanos = System.nanoTime();
    this.batch = batch;
    this.thread = Thread.ofVirtual().name("user-erasure").unstarted(this::run);
  }

  void start() {
    thread.start();
  }

  /** Looks for work now. */
  void wake() {
    wakeups.release();
  }

  private void run() {
    try {
      while (!closed) {
        eraseAll();
        wakeups.tryAcquire(times.pause().toMillis(), TimeUnit.MILLISECONDS);
        wakeups.drainPermits();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt(); // by close()
    }
  }

  private void eraseAll() {
    try {
      if (database.poll(ErasureStore.isAny())) {
        String last = "";
        for (Optional<Erasing> next = step(last); next.isPresent(); next = step(last)) {
          last = next.get().userId();
        }
      }
      if (failing) {
        failing = false;
        calmNanos = System.nanoTime() + times.recovery().toNanos();
        LOG.info("deleted users are erased again");
      }
    } catch (RuntimeException | Error e) { // an Error would end the thread
      OutOfMemory.endProcessIf(e);
      if (!failing && !closed) {
        failing = true;
        LOG.atWarn().setCause(e).log("deleted users cannot be erased; will retry");
      }
    }
  }

  /** Does what can be done now for the next user. */
  private Optional<Erasing> step(String after) {
    Optional<Erasing> user = Optional.empty();
    boolean more = true;
    while (more && !closed) {
      Step step = database.transaction(db -> step(db, after));
      user = step.user();
      more = step.more();
    }
    if (closed) {
      return Optional.empty();
    }
    user.filter(it -> it.settled() && isCalm()).ifPresent(this::end);
    return user;
  }

  private boolean isCalm() {
    return !failing && System.nanoTime() - calmNanos >= 0;
  }

  /**
   * One transaction's work.
   *
   * @param user empty if no other user is left
   * @param more whether the user needs further transactions
   */
  private record Step(Optional<Erasing> user, boolean more) {}

  private Step step(DbExecute db, String after) {
    Optional<Erasing> user = ErasureStore.claimNext(after, times.settling()).apply(db);
    return new Step(user, user.isPresent() && eraseBatch(db, user.get()) > 0);
  }

  private long eraseBatch(DbExecute db, Erasing user) {
    return FileStore.deleteAll(user.userId(), batch).apply(db)
        + UserEntries.pseudonymise(user.userId(), user.pseudonym(), batch).apply(db)
        + AuditLog.pseudonymise(user.userId(), user.pseudonym(), batch).apply(db);
  }

  /** Deletes the user's row if nothing else is left; workers may still delete files. */
  private void end(Erasing user) {
    boolean ended =
        database.transaction(
            db -> {
              var _ = UserStore.lockIdentities().apply(db); // first, as every change of users does
              return ErasureStore.claim(user.userId()).apply(db)
                  && !FileStore.isAnyLeft(user.userId()).apply(db)
                  && eraseBatch(db, user) == 0
                  && ErasureStore.end(user.userId()).apply(db) > 0;
            });
    if (ended) {
      LOG.atInfo().addKeyValue("pseudonym", user.pseudonym()).log("user_erased");
    }
  }

  @Override
  public void close() {
    closed = true;
    thread.interrupt();
    try {
      thread.join(CLOSE_LIMIT);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
