package dev.jarvis.identity;

import dev.jarvis.identity.KnownCache.Rows;
import dev.jarvis.storage.Database;
import dev.jarvis.telemetry.Instruments;
import dev.jarvis.telemetry.Metric;
import io.helidon.dbclient.DbExecute;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * The users, teams and keys that this replica knows: in memory, read from the database when they
 * are first needed, and brought up to date when any replica changes one.
 */
public final class Identities implements AutoCloseable {
  /** After so long without a successful poll, requests do not wait for the database. */
  private static final Duration AWAY_AFTER = Duration.ofSeconds(10);

  /** Statements at once, so that connections remain for other work. */
  private static final int MAX_READS = 4;

  private static final Duration READ_WAIT = Duration.ofSeconds(5);

  private final Database database;
  private final Duration staleFor;
  private final KnownCache<KnownKey> keys;
  private final KnownCache<KnownUser> users;
  private final KnownCache<KnownTeam> teams;
  private final Semaphore reads = new Semaphore(MAX_READS);
  private final IdentitySync sync;
  private final AutoCloseable gauge;

  public Identities(IdentityConfig config, Database database, Instruments instruments) {
    this(config, database, instruments, System::nanoTime);
  }

  Identities(
      IdentityConfig config, Database database, Instruments instruments, LongSupplier nanoTime) {
    this.database = database;
    this.staleFor = config.staleFor();
    int max = config.maxKnownKeys();
    this.keys = cache(max, IdentityStore::keys);
    this.users = cache(max, IdentityStore::users);
    this.teams = cache(max, IdentityStore::teams);
    this.sync =
        new IdentitySync(
            () -> database.poll(IdentityStore.version()), List.of(keys, users, teams), nanoTime);
    this.gauge = instruments.gauge(Metric.IDENTITY_SYNC_AGE, () -> sync.age().toSeconds());
  }

  private <V> KnownCache<V> cache(
      int max, Function<List<String>, Function<DbExecute, Rows<V>>> rows) {
    return new KnownCache<>(
        max, ids -> readSoon(rows.apply(ids)), ids -> database.poll(rows.apply(ids)));
  }

  /**
   * Adds the users of configured keys that the database does not have, and reads all of them, so
   * that they are known if PostgreSQL goes away.
   */
  public void addMissing(Map<String, Role> configured) {
    List<String> ids = List.copyOf(configured.keySet());
    if (users.readAll(ids).size() < ids.size()) {
      var _ = database.transaction(IdentityStore.addMissing(configured));
      var _ = users.readAll(ids);
    }
  }

  /**
   * Adds a user as a member, unless there is one, who may be about to be erased.
   *
   * @throws AuthenticationFailure if that is not possible now
   */
  Optional<KnownUser> add(String id) {
    try {
      var _ = database.transaction(IdentityStore.addMissing(Map.of(id, Role.MEMBER)));
      return users.read(id);
    } catch (RuntimeException e) {
      throw Database.mayRetry(e) ? AuthenticationFailure.unavailable(e) : e;
    }
  }

  /** Has this replica see at once what it has changed itself; to be called after the commit. */
  public void changed() {
    try {
      sync.sync();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Calls the listener whenever a replica has changed something; a failure is tried again. */
  public void onChange(Runnable listener) {
    sync.onChange(listener);
  }

  /** The key with a prefix, if it is in memory. */
  @Nullable KnownKey heldKey(String prefix) {
    return isStale() ? null : keys.held(prefix);
  }

  /**
   * The key with a prefix.
   *
   * @throws AuthenticationFailure if that cannot be found out now
   */
  Optional<KnownKey> key(String prefix) {
    return find(keys, prefix);
  }

  /** The user with an id; see {@link #key}. */
  Optional<KnownUser> user(String id) {
    return find(users, id);
  }

  /**
   * The id of the team that a user is in, null if there is none.
   *
   * @throws AuthenticationFailure if that cannot be found out now
   */
  public @Nullable String teamOf(String user) {
    return user(user).map(KnownUser::team).map(KnownTeam::id).orElse(null);
  }

  /** The team with an id; see {@link #key}. */
  Optional<KnownTeam> team(String id) {
    return find(teams, id);
  }

  private <V> Optional<V> find(KnownCache<V> cache, String id) {
    if (!isStale()) {
      V held = cache.held(id);
      if (held != null) {
        return Optional.of(held);
      }
      if (cache.isMissing(id)) {
        return Optional.empty();
      }
    }
    if (sync.age().compareTo(AWAY_AFTER) > 0) {
      throw AuthenticationFailure.unavailable(null);
    }
    try {
      return cache.read(id);
    } catch (RuntimeException e) {
      throw Database.mayRetry(e) ? AuthenticationFailure.unavailable(e) : e;
    }
  }

  private <T> T readSoon(Function<DbExecute, T> statement) {
    try {
      if (!reads.tryAcquire(READ_WAIT.toMillis(), TimeUnit.MILLISECONDS)) {
        throw AuthenticationFailure.unavailable(null);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw AuthenticationFailure.unavailable(e);
    }
    try {
      return database.execute(statement);
    } finally {
      reads.release();
    }
  }

  private boolean isStale() {
    return sync.age().compareTo(staleFor) > 0;
  }

  /** How many rows and missing ids are in memory. */
  long size() {
    return keys.size() + users.size() + teams.size();
  }

  @Override
  public void close() throws Exception {
    gauge.close();
    sync.close();
  }
}
