package dev.jarvis.routing;

import dev.jarvis.provider.ModelList;
import dev.jarvis.provider.Provider;
import dev.jarvis.provider.ProviderException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/** The models that a provider listed last, and whether it is up. */
final class ModelListing {
  private final Provider provider;
  private final Duration staleAfter;
  private final ListingLog log;
  private final ReentrantLock refreshing = new ReentrantLock();
  private volatile ModelList models;
  private volatile @Nullable Probe last;

  /**
   * One attempt to list the models.
   *
   * @param since when the provider was first seen in the state in which it is
   */
  private record Probe(
      long atNanos, Instant at, Duration took, @Nullable ProviderException failure, Instant since) {
    Duration age() {
      return Duration.ofNanos(System.nanoTime() - atNanos);
    }

    boolean up() {
      return failure == null;
    }
  }

  ModelListing(Provider provider, Duration staleAfter) {
    this.provider = provider;
    this.staleAfter = staleAfter;
    this.log = new ListingLog(provider.name());
    List<String> configured = provider.configuredModels();
    this.models =
        configured.isEmpty()
            ? ModelList.none("The server has not listed its models yet.")
            : ModelList.configured(configured);
  }

  Provider provider() {
    return provider;
  }

  /** The models of the last listing that succeeded, or those that the configuration names. */
  ModelList models() {
    return models;
  }

  boolean up() {
    return failure() == null;
  }

  /** Why the provider counts as down; null if it is up. */
  @Nullable ProviderException failure() {
    Probe probe = last;
    return probe == null || stale(probe) ? stale() : probe.failure;
  }

  private boolean stale(Probe probe) {
    return probe.age().compareTo(staleAfter) > 0;
  }

  private ProviderException stale() {
    return new ProviderException.TimedOut(
        "The model server has not answered for more than %d ms.".formatted(staleAfter.toMillis()),
        null);
  }

  ProviderState state() {
    Probe probe = last;
    ModelList list = models;
    if (probe == null) {
      return new ProviderState(provider, stale(), null, null, null, list);
    }
    boolean stale = stale(probe);
    return new ProviderState(
        provider,
        stale ? stale() : probe.failure,
        stale ? probe.at : probe.since,
        probe.at,
        probe.took,
        list);
  }

  /** Whether the provider has answered or failed within the given time. */
  boolean asked(Duration age) {
    Probe probe = last;
    return probe != null && probe.age().compareTo(age) < 0;
  }

  /**
   * Lists the provider's models, unless that was done within the given time. One thread does so at
   * a time; the others wait for its result.
   *
   * @return whether there is a new listing
   */
  boolean refresh(Duration age) {
    refreshing.lock();
    try {
      Probe before = last;
      if (before != null && before.age().compareTo(age) < 0) {
        return false;
      }
      long start = System.nanoTime();
      ProviderException failure = list();
      Instant now = Instant.now();
      long end = System.nanoTime();
      Instant since = before != null && before.up() == (failure == null) ? before.since : now;
      last = new Probe(end, now, Duration.ofNanos(end - start), failure, since);
      log.listed(before == null || before.up(), failure, models);
      return failure == null;
    } finally {
      refreshing.unlock();
    }
  }

  private @Nullable ProviderException list() {
    try {
      models = provider.models();
      return null;
    } catch (ProviderException.Busy e) {
      return null; // it answers, and has the models that it had
    } catch (ProviderException e) {
      return e;
    } catch (RuntimeException e) {
      return new ProviderException.Unavailable("The models cannot be listed.", e);
    }
  }
}
