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
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.function.Predicate;
import java.util.stream.Collectors;

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
  private final Confirmations confirmations;
  private final Recovery recovery;
  private final Spool spool;
  private final Instant started = Instant.now();
  private long lastMillis;

  /**
   * What the ledger knows of the process before this one.
   *
   * @param has whether it has a call of that process and will settle it
   * @param complete whether a call that it does not have never reached a model
   */
  record Spool(Predicate<UUID> has, boolean complete) {}

  Leftovers(
      Reservations.Parts parts,
      RedisLeases leases,
      Confirmations confirmations,
      Recovery recovery,
      Spool spool) {
    this.leases = leases;
    this.redis = parts.redis();
    this.guard = parts.guard();
    this.calls = parts.calls();
    this.holds = parts.holds();
    this.database = parts.database();
    this.clock = parts.clock();
    this.confirmations = confirmations;
    this.recovery = recovery;
    this.spool = spool;
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
      ScanCursor from = at;
      ValueScanCursor<String> found = guard.ask(() -> leases.own(from));
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
    return old && calls.find(call) == null;
  }

  private void release(List<UUID> left) {
    if (left.isEmpty()) {
      return;
    }
    Set<UUID> written = new HashSet<>(database.poll(BaseRefresh.contained(left)));
    if (!written.isEmpty()) {
      confirmations.add(written);
      confirmations.send();
    }
    List<UUID> others = new ArrayList<>(left);
    others.removeAll(written);
    others.removeIf(spool.has()); // the ledger is going to have them
    Set<UUID> claimed = others.isEmpty() ? null : guard.ask(() -> leases.claimed(others));
    if (claimed == null) {
      return;
    }
    Map<Boolean, List<UUID>> byNeed =
        others.stream()
            .collect(
                Collectors.partitioningBy(it -> claimed.contains(it) || mayHaveReachedAModel(it)));
    List<UUID> used = byNeed.getOrDefault(true, List.of());
    List<RedisLeases.Claimed> read = used.isEmpty() ? null : guard.ask(() -> leases.read(used));
    if (read != null) {
      read.forEach(recovery::settle);
    }
    List<UUID> unused = byNeed.getOrDefault(false, List.of());
    if (!unused.isEmpty()) {
      var _ = redis.release(unused);
    }
  }

  /** Of the process before this one, if its spool was damaged or not flushed. */
  private boolean mayHaveReachedAModel(UUID call) {
    return !spool.complete() && UuidV7.time(call).isBefore(started);
  }

  /** The calls of replicas that are gone and that only PostgreSQL holds. */
  List<BudgetHolds.Orphan> orphans(Duration age) {
    List<String> alive = guard.ask(leases::alive);
    return alive == null ? List.of() : holds.claim(alive, age, 100);
  }
}
