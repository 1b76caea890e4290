package dev.jarvis.routing;

import dev.jarvis.gateway.TargetName;
import dev.jarvis.provider.ModelList;
import dev.jarvis.provider.Provider;
import dev.jarvis.provider.ProviderException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The models and their providers, refreshed in the background so that a request need not wait for
 * it. A provider that is down keeps the models it had: a request for one of them then fails as
 * "down", not as "unknown". Thread-safe.
 */
public final class Catalogue implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Catalogue.class);

  /** The label of all models without a label of their own. */
  public static final String OTHER = "_other";

  private static final int LABELS_LIMIT = 100;

  /** Minimum interval between listings because of unknown names. */
  private static final Duration MISS_PERIOD = Duration.ofSeconds(1);

  /** How long requests wait for a listing because of an unknown name, from its start. */
  private static final Duration MISS_LIMIT = Duration.ofMillis(500);

  /** How long the constructor waits for the first listings. */
  private static final Duration START_LIMIT = Duration.ofSeconds(3);

  private final List<ModelListing> listings;
  private final ScheduledThreadPoolExecutor timer;
  private final Map<ModelListing, Refresh> refreshes = new ConcurrentHashMap<>();

  /** Every target that was ever listed and has a label; guards the listeners too. */
  private final Set<Target> discovered = new LinkedHashSet<>();

  private final List<Consumer<Target>> listeners = new ArrayList<>();
  private final Set<String> labels = ConcurrentHashMap.newKeySet();
  private volatile Map<String, List<Target>> targets = Map.of();

  /** A model and the provider that runs it. */
  public record Target(Provider provider, String model) {
    public TargetName name() {
      return new TargetName(provider.name(), model);
    }
  }

  /** A listing because of an unknown name, shared by all requests that need it meanwhile. */
  private record Refresh(CompletableFuture<Void> done, long deadlineNanos) {
    boolean running() {
      return !done.isDone();
    }

    void await() {
      try {
        done.get(Math.max(0, deadlineNanos - System.nanoTime()), TimeUnit.NANOSECONDS);
      } catch (TimeoutException e) {
        // the request goes on with what is known; the listing is still used when it arrives
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      } catch (ExecutionException e) {
        throw new IllegalStateException("the models could not be listed", e.getCause());
      }
    }
  }

  /**
   * Lists the providers' models, waiting three seconds at most, and then periodically.
   *
   * @param providers in the order in which they are asked for a model that several have; must be
   *     closed by the caller
   * @param period the pause between two listings of a provider; a provider that has not answered
   *     for three periods counts as down
   */
  public Catalogue(List<Provider> providers, Duration period) {
    listings =
        providers.stream()
            .map(it -> new ModelListing(it, period.multipliedBy(3).plus(it.listTimeout())))
            .toList();
    publish(); // the models that the configuration names
    // One thread each, so that a provider that hangs does not delay the others.
    timer =
        new ScheduledThreadPoolExecutor(
            Math.max(1, providers.size()),
            Thread.ofPlatform().daemon().name("models-", 0).factory());
    CountDownLatch listed = new CountDownLatch(providers.size());
    for (ModelListing listing : listings) {
      var _ =
          timer.scheduleWithFixedDelay(
              () -> {
                refresh(listing, Duration.ZERO);
                listed.countDown();
              },
              0,
              period.toNanos(),
              TimeUnit.NANOSECONDS);
    }
    try {
      listed.await(START_LIMIT.toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /**
   * The targets that have this model, in the providers' order; empty if there is none. A name
   * without tag also finds {@code name:latest}, as in Ollama. For an unknown name the providers are
   * asked again, waiting half a second at most.
   *
   * @throws ProviderException.Unavailable if the name is unknown while every provider is down, so
   *     that it may exist
   */
  public List<Target> find(String model) throws ProviderException {
    List<Target> known = lookUp(model);
    if (!known.isEmpty()) {
      return known;
    }
    // Not those that are down: requests must not queue up for them.
    List<Refresh> started =
        listings.stream()
            .filter(it -> it.up() && it.models().source() != ModelList.Source.CONFIGURED)
            .flatMap(listing -> Stream.ofNullable(refreshes.compute(listing, this::refreshForMiss)))
            .toList();
    started.forEach(Refresh::await);
    known = lookUp(model);
    if (known.isEmpty() && listings.stream().noneMatch(ModelListing::up)) {
      throw new ProviderException.Unavailable("No model server can be reached.", null);
    }
    return known;
  }

  /** All models in the providers' order, each name once. */
  public List<Target> list() {
    return targets.values().stream().map(List::getFirst).toList();
  }

  /** The providers in their order. */
  public List<Provider> providers() {
    return listings.stream().map(ModelListing::provider).toList();
  }

  /** The provider of that name. */
  Optional<Provider> provider(String name) {
    return listings.stream()
        .map(ModelListing::provider)
        .filter(it -> it.name().equals(name))
        .findFirst();
  }

  /** Whether the provider answered when it was last asked for its models. */
  boolean up(Provider provider) {
    return listings.stream().anyMatch(it -> it.provider() == provider && it.up());
  }

  /** Whether the provider has the model, or may have it because its list is not complete. */
  boolean mayHave(Target target) {
    return lookUp(target.model()).stream().anyMatch(it -> it.provider() == target.provider())
        || listings.stream()
            .anyMatch(
                it -> it.provider() == target.provider() && it.models().mayHave(target.model()));
  }

  /** What the last listing of each provider showed, in the providers' order. */
  public List<ProviderState> states() {
    return listings.stream().map(ModelListing::state).toList();
  }

  /** By provider: 1 if it is up, else 0. */
  public Map<String, Long> up() {
    Map<String, Long> up = new LinkedHashMap<>();
    listings.forEach(it -> up.put(it.provider().name(), it.up() ? 1L : 0L));
    return up;
  }

  /** The label of a model in metrics: the name of one of the first 100 models, else "_other". */
  public String label(String model) {
    return labels.contains(model) ? model : OTHER;
  }

  /**
   * Calls the listener once for each target whose model has a label: now for those that are known,
   * later for those discovered later. The listener is called on any thread and must be quick.
   */
  public void onDiscovered(Consumer<Target> listener) {
    List<Target> known;
    synchronized (discovered) {
      listeners.add(listener);
      known = List.copyOf(discovered);
    }
    known.forEach(listener);
  }

  /**
   * Checks that a provider answers, by the last listings: never slow.
   *
   * @throws ProviderException the first provider's failure, if each provider's last listing failed
   *     or is too old
   */
  public void check() throws ProviderException {
    ProviderException first = null;
    for (ModelListing listing : listings) {
      ProviderException failure = listing.failure();
      if (failure == null) {
        return;
      }
      first = first == null ? failure : first;
    }
    throw first != null
        ? first
        : new ProviderException.Unavailable("No model server is configured.", null);
  }

  @Override
  public void close() {
    timer.shutdownNow();
  }

  private List<Target> lookUp(String model) {
    Map<String, List<Target>> now = targets;
    List<Target> found = now.get(model);
    if (found == null && model.indexOf(':') < 0) {
      found = now.get(model + ":latest");
    }
    return found == null ? List.of() : found;
  }

  /** The refresh that is running, or a new one; null if the provider was asked just now. */
  private @Nullable Refresh refreshForMiss(ModelListing listing, @Nullable Refresh last) {
    if (last != null && last.running()) {
      return last;
    }
    if (listing.asked(MISS_PERIOD)) {
      return null;
    }
    return new Refresh(
        CompletableFuture.runAsync(
            () -> refresh(listing, MISS_PERIOD), task -> Thread.ofVirtual().start(task)),
        System.nanoTime() + MISS_LIMIT.toNanos());
  }

  /** Lists the provider's models, unless that was done within the given time. */
  private void refresh(ModelListing listing, Duration age) {
    if (listing.refresh(age)) {
      publish();
    }
  }

  /** Offers the models of the listings, and announces those that are new. */
  private void publish() {
    List<Target> fresh = new ArrayList<>();
    List<Consumer<Target>> receivers;
    synchronized (discovered) {
      Map<String, List<Target>> all = new LinkedHashMap<>();
      for (ModelListing each : listings) {
        for (String model : each.models().names()) {
          Target target = new Target(each.provider(), model);
          all.computeIfAbsent(model, it -> new ArrayList<>()).add(target);
          boolean labelled =
              labels.contains(model) || (labels.size() < LABELS_LIMIT && labels.add(model));
          if (labelled && discovered.add(target)) {
            fresh.add(target);
          }
        }
      }
      all.replaceAll((model, found) -> List.copyOf(found));
      targets = Collections.unmodifiableMap(all);
      receivers = List.copyOf(listeners);
    }
    for (Consumer<Target> listener : receivers) {
      fresh.forEach(target -> call(listener, target));
    }
  }

  /** Catches exceptions, which would end the timer and skip the other listeners. */
  private static void call(Consumer<Target> listener, Target target) {
    try {
      listener.accept(target);
    } catch (RuntimeException e) {
      LOG.atError()
          .setCause(e)
          .addKeyValue("model", target.model())
          .log("a listener for discovered models failed");
    }
  }
}
