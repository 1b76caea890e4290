package dev.jarvis.limit;

import dev.jarvis.concurrent.Cancellation;
import dev.jarvis.concurrent.CancelledException;
import dev.jarvis.error.ApiException;
import java.time.Duration;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.IntConsumer;

/**
 * Admits a limited number of requests at once; some more wait. First come, first served within a
 * user, and fair between users: a permit that becomes free goes to the longest-waiting request of
 * the user that holds the fewest permits; of several such users, of the one that has gone without
 * for longest. So users take turns even where there is one permit, and none is passed over for
 * ever. Keeps nothing about a user without permits or waiting requests. Thread-safe.
 */
public final class Admission {
  /**
   * How much is admitted.
   *
   * @param maxConcurrent most permits at once
   * @param maxOfUser most of them that one user holds
   * @param maxQueued most requests that wait for one
   * @param queueTimeout how long each of them waits
   */
  public record Limits(int maxConcurrent, int maxOfUser, int maxQueued, Duration queueTimeout) {
    /** A user may hold all permits: for requests that are over soon. */
    public Limits(int maxConcurrent, int maxQueued, Duration queueTimeout) {
      this(maxConcurrent, maxConcurrent, maxQueued, queueTimeout);
    }
  }

  /** The right to be one of the admitted; closing it passes it on, and is idempotent. */
  public interface Permit extends AutoCloseable {
    @Override
    void close();
  }

  /** What became of a waiting request. */
  private enum State {
    WAITING,
    ADMITTED,
    DISPLACED,
    CANCELLED,
    TIMED_OUT
  }

  /** A request that waits; guarded by the admission, except for the latch. */
  private static final class Waiter {
    private final User user;
    private final long arrival;
    private final CountDownLatch decided = new CountDownLatch(1);
    private State state = State.WAITING;

    private Waiter(User user, long arrival) {
      this.user = user;
      this.arrival = arrival;
    }
  }

  /** Somebody with permits or waiting requests. */
  private static final class User {
    private final String name;
    private final LinkedHashSet<Waiter> waiting = new LinkedHashSet<>(); // in order of arrival
    private int permits;
    private long lastAdmitted = -1;

    private User(String name) {
      this.name = name;
    }

    /** Since when it goes without: its last admission, or the arrival of what waits if later. */
    private long unservedSince() {
      return Math.max(lastAdmitted, waiting.getFirst().arrival);
    }

    private long newest() {
      return waiting.getLast().arrival;
    }
  }

  private static final Comparator<User> NEXT =
      Comparator.<User>comparingInt(it -> it.permits).thenComparingLong(User::unservedSince);

  private static final Comparator<User> MOST_WAITING =
      Comparator.<User>comparingInt(it -> it.waiting.size()).thenComparingLong(User::newest);

  private final String name;
  private final Limits limits;
  private final IntConsumer waitingChanged;
  private final Map<String, User> users = new HashMap<>(); // guarded by this, as all below
  private int admitted;
  private int waiting;
  private long clock; // of arrivals and admissions

  /**
   * An admission without requests.
   *
   * @param name of what is admitted, in the plural, for error messages: {@code uploads}
   * @param waitingChanged gets each change of the number of waiting requests, and 0 to begin with;
   *     must return at once
   */
  public Admission(String name, Limits limits, IntConsumer waitingChanged) {
    this.name = name;
    this.limits = limits;
    this.waitingChanged = waitingChanged;
    waitingChanged.accept(0);
  }

  /**
   * Waits for a permit; returns early with an exception when {@link Cancellation#current} is
   * cancelled.
   *
   * @throws ApiException.Overloaded if too many wait already, or no permit becomes free in time
   * @throws CancelledException on cancellation
   */
  public Permit acquire(String user) {
    Cancellation cancellation = Cancellation.current();
    if (cancellation.cancelled()) {
      throw cancelled();
    }
    Optional<Waiter> queued = enter(user);
    if (queued.isPresent()) {
      await(queued.get(), cancellation);
    }
    return permit(user);
  }

  private Permit permit(String user) {
    AtomicBoolean open = new AtomicBoolean(true);
    return () -> {
      if (open.compareAndSet(true, false)) {
        release(user);
      }
    };
  }

  /**
   * Admits a request, or lets it wait. No permit is free while others wait that may have it, so
   * none is overtaken.
   */
  private synchronized Optional<Waiter> enter(String name) {
    User user = user(name);
    if (admitted < limits.maxConcurrent() && mayHoldMore(user)) {
      admit(user);
      return Optional.empty();
    }
    if (waiting >= limits.maxQueued()) {
      makeRoom(user);
    }
    Waiter waiter = new Waiter(user, clock++);
    user.waiting.add(waiter);
    changeWaiting(1);
    return Optional.of(waiter);
  }

  private User user(String name) {
    return users.computeIfAbsent(name, User::new);
  }

  private void admit(User user) {
    admitted++;
    user.permits++;
    user.lastAdmitted = clock++;
  }

  private boolean mayHoldMore(User user) {
    return user.permits < limits.maxOfUser();
  }

  /** Refuses the newest request of the user with the most waiting ones, or else the newcomer. */
  private void makeRoom(User newcomer) {
    Optional<User> most =
        users.values().stream()
            .filter(it -> it.waiting.size() > newcomer.waiting.size())
            .max(MOST_WAITING);
    if (most.isEmpty()) {
      String message = full(newcomer);
      forgetIfIdle(newcomer);
      throw new ApiException.Overloaded(message);
    }
    decide(most.get().waiting.getLast(), State.DISPLACED);
  }

  private void await(Waiter waiter, Cancellation cancellation) {
    boolean interrupted = false;
    try (Cancellation.Registration ignored =
        cancellation.onCancel(() -> decide(waiter, State.CANCELLED))) {
      if (!waiter.decided.await(limits.queueTimeout().toNanos(), TimeUnit.NANOSECONDS)) {
        decide(waiter, State.TIMED_OUT); // unless a permit came just now
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt(); // the service stops
      decide(waiter, State.CANCELLED);
      interrupted = true;
    }
    State state = state(waiter);
    if (state == State.ADMITTED && (interrupted || cancellation.cancelled())) {
      release(waiter.user.name); // nobody is left to use it
      throw cancelled();
    }
    switch (state) {
      case ADMITTED -> {}
      case DISPLACED -> throw new ApiException.Overloaded(displaced());
      case TIMED_OUT -> throw new ApiException.Overloaded(timedOut(waiter.user));
      case WAITING, CANCELLED -> throw cancelled();
    }
  }

  private synchronized State state(Waiter waiter) {
    return waiter.state;
  }

  /** Ends a wait, unless it ended before. */
  private synchronized void decide(Waiter waiter, State state) {
    if (waiter.state != State.WAITING) {
      return;
    }
    waiter.state = state;
    User user = waiter.user;
    user.waiting.remove(waiter);
    changeWaiting(-1);
    if (state == State.ADMITTED) {
      admit(user);
    }
    forgetIfIdle(user);
    waiter.decided.countDown();
  }

  private synchronized void release(String name) {
    User user = user(name);
    user.permits--;
    admitted--;
    forgetIfIdle(user);
    if (waiting > 0) { // of users there are no more than permits and places
      users.values().stream()
          .filter(it -> !it.waiting.isEmpty() && mayHoldMore(it))
          .min(NEXT)
          .ifPresent(it -> decide(it.waiting.getFirst(), State.ADMITTED));
    }
  }

  private void forgetIfIdle(User user) {
    if (user.permits == 0 && user.waiting.isEmpty()) {
      users.remove(user.name);
    }
  }

  private void changeWaiting(int change) {
    waiting += change;
    waitingChanged.accept(change);
  }

  /** How many users are kept in memory. */
  synchronized int users() {
    return users.size();
  }

  private String full(User user) {
    return "The server is busy: %s, and %d wait, which is the maximum too. Try again later."
        .formatted(inProgress(user), limits.maxQueued());
  }

  private String displaced() {
    return "The server is busy: %d %s wait, which is the maximum, and you have the most of them; your newest one gave way to another user's. Try again later."
        .formatted(limits.maxQueued(), name);
  }

  private synchronized String timedOut(User user) {
    return "The server is busy: %s, and yours had to wait for more than %d ms. Try again later."
        .formatted(inProgress(user), limits.queueTimeout().toMillis());
  }

  private String inProgress(User user) {
    return mayHoldMore(user)
        ? "%d %s are in progress, which is the maximum".formatted(limits.maxConcurrent(), name)
        : "%d of your %s are in progress, which is the maximum of a user"
            .formatted(limits.maxOfUser(), name);
  }

  private static CancelledException cancelled() {
    return new CancelledException();
  }
}
