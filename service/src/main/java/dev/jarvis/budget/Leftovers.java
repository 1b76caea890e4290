package dev.jarvis.budget;

import dev.jarvis.id.UuidV7;
import dev.jarvis.storage.Database;
import dev.jarvis.storage.RedisGuard;
import io.lettuce.core.ScanCursor;
import io.lettuce.core.ValueScanCursor;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.function.Predicate;

/**
 * Finds calls that are registered as this replica's although it knows nothing of them: of a process
 * before this one, with an intent that was never written down, and of calls whose end Redis has not
 * heard of. Used by one thread.
 */
final class Leftovers {
  /** By then a call is either known here, or was refused. */
  private static final Duration KNOWN_BY = Duration.ofMinutes(1);

  private static final int MAX_PAGES = 1_000;

  private final RedisLeases leases;
  private final RedisReservations redis;
  private final RedisGuard guard;
  private final OpenCalls calls;
  private final BudgetHolds holds;
  private final Database database;
  private final Clock clock;
  private final Predicate<UUID> inSpool;
  private final Instant started = Instant.now();
  private long lastMillis;

  /**
   * @param inSpool whether the ledger still has a call of the process before this one
   */
  Leftovers(Reservations.Parts parts, RedisLeases leases, Predicate<UUID> inSpool) {
    this.leases = leases;
    this.redis = parts.redis();
    this.guard = parts.guard();
    this.calls = parts.calls();
    this.holds = parts.holds();
    this.database = parts.database();
    this.clock = parts.clock();
    this.inSpool = inSpool;
  }

  /**
   * Forgets the calls that are in the ledger, and takes back what the others have reserved.
   *
   * @param now even if this was done a short while ago
   */
  void release(boolean now) {
    long millis = clock.millis();
    if (calls.hasForgotten() || (!now && millis - lastMillis < KNOWN_BY.toMillis())) {
      return;
    }
    lastMillis = millis;
    ScanCursor at = ScanCursor.INITIAL;
    for (int page = 0; page < MAX_PAGES && !at.isFinished(); page++) {
      ValueScanCursor<String> found = guard.tryAcquire() ? guard.await(leases.own(at)) : null;
      if (found == null) {
        return;
      }
      release(found.getValues().stream().map(UUID::fromString).filter(this::isLeft).toList());
      at = found;
    }
  }

  private boolean isLeft(UUID call) {
    Instant time = UuidV7.time(call);
    boolean old =
        time.isBefore(started)
            || time.isBefore(Instant.ofEpochMilli(clock.millis()).minus(KNOWN_BY));
    return old && calls.find(call) == null && !inSpool.test(call);
  }

  private void release(List<UUID> left) {
    if (left.isEmpty()) {
      return;
    }
    Set<UUID> written = new HashSet<>(database.poll(BaseRefresh.contained(left)));
    List<UUID> unused = new ArrayList<>(left);
    unused.removeAll(written);
    if (!written.isEmpty()) {
      var _ = redis.confirm(List.copyOf(written));
    }
    if (!unused.isEmpty()) {
      var _ = redis.release(unused);
    }
  }

  /** The calls of replicas that are gone and that only PostgreSQL holds. */
  List<BudgetHolds.Orphan> orphans(Duration age) {
    List<String> alive = guard.tryAcquire() ? guard.await(leases.alive()) : null;
    return alive == null ? List.of() : holds.claim(alive, age, 100);
  }
}
