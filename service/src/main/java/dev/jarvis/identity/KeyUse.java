package dev.jarvis.identity;

import dev.jarvis.error.OutOfMemory;
import dev.jarvis.storage.Database;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;

/**
 * Records when keys were used last: once a minute, in one statement. A use is lost if the process
 * is killed or the database is unavailable.
 */
public final class KeyUse implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(KeyUse.class);
  private static final Duration PERIOD = Duration.ofMinutes(1);
  private static final Duration CLOSE_LIMIT = Duration.ofSeconds(2);

  private final Database database;
  private final int maxKeys;
  private final InstantSource clock;
  private final Duration period;
  private final Set<UUID> used = ConcurrentHashMap.newKeySet();
  private final CountDownLatch closed = new CountDownLatch(1);
  private final Thread thread;

  /**
   * @param maxKeys how many are recorded at once; further ones are not
   */
  public KeyUse(Database database, int maxKeys) {
    this(database, maxKeys, InstantSource.system(), PERIOD);
  }

  KeyUse(Database database, int maxKeys, InstantSource clock, Duration period) {
    this.database = database;
    this.maxKeys = maxKeys;
    this.clock = clock;
    this.period = period;
    this.thread = Thread.ofVirtual().name("key-use").start(this::loop);
  }

  /** A key is used now. Does not wait. */
  void used(UUID key) {
    if (!used.contains(key) && used.size() < maxKeys) {
      used.add(key);
    }
  }

  private void loop() {
    try {
      boolean last;
      do {
        last = closed.await(period.toMillis(), TimeUnit.MILLISECONDS);
        flush();
      } while (!last);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt(); // by close()
    }
  }

  private void flush() {
    List<UUID> keys = new ArrayList<>();
    for (Iterator<UUID> it = used.iterator(); it.hasNext(); it.remove()) {
      keys.add(it.next());
    }
    if (keys.isEmpty()) {
      return;
    }
    try {
      var ignored = database.poll(IdentityStore.used(keys, clock.instant()));
    } catch (Throwable e) { // whatever it is, later uses must be recorded
      OutOfMemory.endProcessIf(e);
      LOG.atLevel(Database.isAway(e) ? Level.DEBUG : Level.ERROR)
          .setCause(e)
          .log("the last use of keys was not recorded");
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
