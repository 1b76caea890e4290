package dev.jarvis.identity;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The rows of one kind that this replica holds in memory, and the ids that have none. Both are
 * bounded. Of several requests for an id that is not held, one reads the database.
 */
final class KnownCache<V> {
  /**
   * What a statement found.
   *
   * @param version of the identities that the statement saw
   */
  record Rows<V>(long version, Map<String, V> byId) {}

  /** Longer than a statement may take; another request reads the row meanwhile. */
  private static final Duration FLIGHT_LIMIT = Duration.ofSeconds(30);

  private final Function<List<String>, Rows<V>> load;
  private final Function<List<String>, Rows<V>> reload;
  private final Cache<String, V> held;
  private final Cache<String, Boolean> missing;
  private final ConcurrentMap<String, CompletableFuture<Optional<V>>> flights =
      new ConcurrentHashMap<>();

  /** What was read at an earlier version is not kept. */
  private long minimumVersion; // guarded by this

  /**
   * @param load reads rows for a request
   * @param reload reads rows in the background
   */
  KnownCache(
      int maxEntries,
      Function<List<String>, Rows<V>> load,
      Function<List<String>, Rows<V>> reload) {
    this.load = load;
    this.reload = reload;
    this.held = bounded(maxEntries);
    this.missing = bounded(maxEntries);
  }

  private static <T> Cache<String, T> bounded(int maxEntries) {
    return Caffeine.newBuilder().maximumSize(maxEntries).executor(Runnable::run).build();
  }

  /** The row, if it is in memory. */
  @Nullable V held(String id) {
    return held.getIfPresent(id);
  }

  /** Whether the id is known to have no row. */
  boolean isMissing(String id) {
    return missing.getIfPresent(id) != null;
  }

  /** Reads the row from the database, and keeps it. Empty if there is none. */
  Optional<V> read(String id) {
    CompletableFuture<Optional<V>> mine = new CompletableFuture<>();
    CompletableFuture<Optional<V>> other = flights.putIfAbsent(id, mine);
    if (other != null) {
      return await(other);
    }
    try {
      Optional<V> row = Optional.ofNullable(readAll(List.of(id)).get(id));
      mine.complete(row);
      return row;
    } catch (RuntimeException | Error e) {
      mine.completeExceptionally(e);
      throw e;
    } finally {
      flights.remove(id, mine);
    }
  }

  /** Reads rows from the database in one statement, and keeps what is found. */
  Map<String, V> readAll(List<String> ids) {
    Rows<V> rows = load.apply(ids);
    synchronized (this) { // else a change could be seen between the check and the put
      if (rows.version() >= minimumVersion) {
        ids.forEach(id -> keep(id, rows.byId().get(id)));
      }
    }
    return rows.byId();
  }

  private void keep(String id, @Nullable V row) {
    if (row == null) {
      missing.put(id, true);
    } else {
      missing.invalidate(id);
      held.put(id, row);
    }
  }

  private static <V> Optional<V> await(CompletableFuture<Optional<V>> flight) {
    try {
      return flight.get(FLIGHT_LIMIT.toMillis(), TimeUnit.MILLISECONDS);
    } catch (ExecutionException e) {
      throw e.getCause() instanceof RuntimeException cause
          ? cause
          : new IllegalStateException("the row was not read", e.getCause());
    } catch (TimeoutException e) {
      throw AuthenticationFailure.unavailable(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw AuthenticationFailure.unavailable(e);
    }
  }

  /**
   * Reads everything that is held again, in one statement, and drops what is gone.
   *
   * @param version that must be seen
   */
  void reload(long version) {
    synchronized (this) { // before the list of what is held: a row that comes later is new enough
      minimumVersion = version;
      missing.invalidateAll();
    }
    List<String> ids = List.copyOf(held.asMap().keySet());
    if (ids.isEmpty()) {
      return;
    }
    Map<String, V> rows = reload.apply(ids).byId();
    for (String id : ids) {
      V row = rows.get(id);
      if (row == null) {
        held.invalidate(id);
      } else {
        held.asMap().replace(id, row);
      }
    }
  }

  /** How many rows and missing ids are in memory. */
  long size() {
    held.cleanUp();
    missing.cleanUp();
    return held.estimatedSize() + missing.estimatedSize();
  }
}
