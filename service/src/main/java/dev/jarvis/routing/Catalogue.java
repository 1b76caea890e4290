package dev.jarvis.routing;

import dev.jarvis.gateway.TargetName;
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
 * Which models there are and who runs them, kept fresh in the background, so that a request asks no
 * server for it. A provider that is down keeps the models it had: a request for one of them then
 * fails as "down", not as "unknown". Thread-safe.
 */
public final class Catalogue implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Catalogue.class);

  /** The label of every name that is not among the known ones. */
  public static final String OTHER = "_other";

  private static final int LABELS_LIMIT = 100;
  private static final int NAME_LIMIT_CHARS = 200;

  /** A name that is not known is worth a look at the servers so often. */
  private static final Duration MISS_PERIOD = Duration.ofSeconds(1);

  /**
   * How long requests wait for a provider's list because of a name that is not known, from the
   * moment on that it is asked: they hold places that others wait for.
   */
  private static final Duration MISS_LIMIT = Duration.ofMillis(500);

  /** How long the constructor waits for the first listings. */
  private static final Duration START_LIMIT = Duration.ofSeconds(3);

  private final List<ModelListing> listings;
  private final ScheduledThreadPoolExecutor timer;
  private final Map<ModelListing, Look> looks = new ConcurrentHashMap<>();

  /** What was ever seen, for labels and listeners; guards the listeners too. */
  private final Set<Target> discovered = new LinkedHashSet<>();

  private final List<Consumer<Target>> listeners = new ArrayList<>();
  private final Set<String> labels = ConcurrentHashMap.newKeySet();
  private volatile Map<String, List<Target>> targets = Map.of();

  /** A model and the provider that runs it. */
  public record Target(Provider provider, String model) {
    /** By the names alone. */
    public TargetName name() {
      return new TargetName(provider.name(), model);
    }
  }

  /** A look at a provider's list for a name that is not known, shared by all who miss meanwhile. */
  private record Look(CompletableFuture<Void> done, long deadlineNanos) {
    boolean runs() {
      return !done.isDone();
    }

    void await() {
      try {
        done.get(Math.max(0, deadlineNanos - System.nanoTime()), TimeUnit.NANOSECONDS);
      } catch (TimeoutException e) {
        // what is known has to do; the list is still taken when it comes
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      } catch (ExecutionException e) {
        throw new IllegalStateException("a list of models was not taken", e.getCause());
      }
    }
  }

  /**
   * Lists the providers' models, for three seconds at most, and then again and again.
   *
   * @param providers in the order in which they are asked for a model that several have; stay the
   *     caller's to close
   * @param period the pause between two listings of a provider; one that has not answered for three
   *     of them counts as down
   */
  public Catalogue(List<Provider> providers, Duration period) {
    listings =
        providers.stream()
            .map(it -> new ModelListing(it, period.multipliedBy(3).plus(it.listTimeout())))
            .toList();
    // One thread each: a provider that hangs delays no other.
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
   * Who runs this model, in the providers' order; empty if no provider has it. A name without tag
   * also finds {@code name:latest}, as at Ollama's. For a name that is not known the providers are
   * asked again; one that lists slowly is waited for half a second at most.
   *
   * @throws ProviderException.Unavailable if it is unknown while every provider is down, so that
   *     nobody can tell
   */
  public List<Target> find(String model) throws ProviderException {
    List<Target> known = lookUp(model);
    if (!known.isEmpty()) {
      return known;
    }
    // One that is down is left to the background: misses must not queue up before it.
    List<Look> started =
        listings.stream()
            .filter(ModelListing::up)
            .flatMap(listing -> Stream.ofNullable(looks.compute(listing, this::look)))
            .toList();
    started.forEach(Look::await);
    known = lookUp(model);
    if (known.isEmpty() && listings.stream().noneMatch(ModelListing::up)) {
      throw new ProviderException.Unavailable("No model server can be reached.", null);
    }
    return known;
  }

  /** All models, by provider in their order; each name once. */
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

  /** Whether the provider listed the model. */
  boolean has(Target target) {
    return lookUp(target.model()).stream().anyMatch(it -> it.provider() == target.provider());
  }

  /** The name as a metric may carry it: one of the first 100 known, else {@code _other}. */
  public String label(String model) {
    return labels.contains(model) ? model : OTHER;
  }

  /**
   * Tells of each model with a label at each provider, once: at once of those known by now. The
   * listener is called on any thread and must be quick.
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
   * Whether any provider answers, as the background saw it last: never slow.
   *
   * @throws ProviderException the first provider's if of each the last listing failed or is old
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
        : new ProviderException.Unavailable("There is no model server.", null);
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

  /** The look that runs, or a new one; null if the provider was asked just now. */
  private @Nullable Look look(ModelListing listing, @Nullable Look last) {
    if (last != null && last.runs()) {
      return last;
    }
    if (listing.asked(MISS_PERIOD)) {
      return null;
    }
    return new Look(
        CompletableFuture.runAsync(
            () -> refresh(listing, MISS_PERIOD), task -> Thread.ofVirtual().start(task)),
        System.nanoTime() + MISS_LIMIT.toNanos());
  }

  private void refresh(ModelListing listing, Duration age) {
    if (!listing.refresh(age)) {
      return;
    }
    List<Target> fresh = new ArrayList<>();
    List<Consumer<Target>> told;
    synchronized (discovered) {
      Map<String, List<Target>> all = new LinkedHashMap<>();
      for (ModelListing each : listings) {
        for (String model : each.models()) {
          if (model.isEmpty() || model.length() > NAME_LIMIT_CHARS) {
            continue;
          }
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
      told = List.copyOf(listeners);
    }
    for (Consumer<Target> listener : told) {
      fresh.forEach(target -> tell(listener, target));
    }
  }

  /** An exception would end the timer, and keep the target from the other listeners. */
  private static void tell(Consumer<Target> listener, Target target) {
    try {
      listener.accept(target);
    } catch (RuntimeException e) {
      LOG.atError().setCause(e).addKeyValue("model", target.model()).log("a listener failed");
    }
  }
}
