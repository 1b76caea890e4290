package dev.jarvis.routing;

import dev.jarvis.provider.Provider;
import dev.jarvis.provider.ProviderException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The models that a provider listed last, and whether it is up. */
final class ModelListing {
  private static final Logger LOG = LoggerFactory.getLogger(ModelListing.class);

  private final Provider provider;
  private final Duration staleAfter;
  private final ReentrantLock refreshing = new ReentrantLock();
  private volatile List<String> models = List.of();
  private volatile @Nullable Probe last;

  /** One attempt to list the models. */
  private record Probe(long atNanos, @Nullable ProviderException failure) {
    Duration age() {
      return Duration.ofNanos(System.nanoTime() - atNanos);
    }
  }

  ModelListing(Provider provider, Duration staleAfter) {
    this.provider = provider;
    this.staleAfter = staleAfter;
  }

  Provider provider() {
    return provider;
  }

  /** The models of the last listing that succeeded. */
  List<String> models() {
    return models;
  }

  boolean up() {
    return failure() == null;
  }

  /** Why the provider counts as down; null if it is up. */
  @Nullable ProviderException failure() {
    Probe probe = last;
    if (probe == null || probe.age().compareTo(staleAfter) > 0) {
      return new ProviderException.TimedOut(
          "The model server has not answered for more than %d ms.".formatted(staleAfter.toMillis()),
          null);
    }
    return probe.failure;
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
      ProviderException failure = list();
      last = new Probe(System.nanoTime(), failure);
      logChange(before, failure);
      return failure == null;
    } finally {
      refreshing.unlock();
    }
  }

  private @Nullable ProviderException list() {
    try {
      models = List.copyOf(provider.models());
      return null;
    } catch (ProviderException e) {
      return e;
    } catch (RuntimeException e) {
      return new ProviderException.Unavailable("The models cannot be listed.", e);
    }
  }

  private void logChange(@Nullable Probe before, @Nullable ProviderException failure) {
    boolean wasUp = before == null || before.failure == null;
    if (wasUp && failure != null) {
      Throwable cause = failure.getCause() == null ? failure : failure.getCause();
      LOG.atWarn()
          .addKeyValue("provider", provider.name())
          .addKeyValue("reason", failure.getMessage())
          .addKeyValue("cause", cause.toString())
          .log("model provider is down");
    } else if (!wasUp && failure == null) {
      LOG.atInfo().addKeyValue("provider", provider.name()).log("model provider is up again");
    }
  }
}
