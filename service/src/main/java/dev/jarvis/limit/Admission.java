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
 * Limits the number of requests that are processed at once; a limited number of further requests
 * waits. The queue is first come, first served for each user, and fair between users: a free permit
 * goes to the oldest request of the user with the fewest permits, and of several such users to the
 * one that has not been served for longest. So users take turns even if there is only one permit,
 * and no user waits for ever. Keeps nothing about a user without permits and waiting requests.
 * Thread-safe.
 */
public final class Admission {
  /**
   * The limits of an admission.
   *
   * @param maxConcurrent maximum number of permits
   * @param maxOfUser maximum number of permits of one user
   * @param maxQueued maximum number of waiting requests
   * @param queueTimeout how long a request waits
   */
  public record Limits(int maxConcurrent, int maxOfUser, int maxQueued, Duration queueTimeout) {
    /** Limits without a limit per user, for requests that take little time. */
    public Limits(int maxConcurrent, int maxQueued, Duration queueTimeout) {
      this(maxConcurrent, maxConcurrent, maxQueued, queueTimeout);
    }
  }

  /** The permission to process one request; closing it releases it, and is idempotent. */
  public interface Permit extends AutoCloseable {
    @Override
    void close();
  }

  /** The state of a request that had to wait. */
  private enum State {
    WAITING,
    ADMITTED,
    DISPLACED,
    CANCELLED,
    TIMED_OUT
  }

  /** A waiting request; guarded by the admission, except for the latch. */
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

  /** A user with permits or waiting requests. */
  private static final class User {
    private final String name;
    private final LinkedHashSet<Waiter> waiting = new LinkedHashSet<>(); // in order of arrival
    private int permits;
    private long lastAdmitted = -1;

    private User(String name) {
      this.name = name;
    }

    /** The time of its last admission, or of the arrival of its oldest request if that is later. */
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
   * @param name the requests' name in error messages, in the plural, for example {@code uploads}
   * @param waitingChanged called with each change of the number of waiting requests, and first with
   *     0; must not block
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
   * @throws ApiException.Overloaded if the queue is full, or no permit becomes free in time
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
   * Admits a request, or adds it to the queue. While others wait that may get a permit none is
   * free, so a new request never overtakes them.
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
      Thread.currentThread().interrupt(); // the service is stopping
      decide(waiter, State.CANCELLED);
      interrupted = true;
    }
    State state = state(waiter);
    if (state == State.ADMITTED && (interrupted || cancellation.cancelled())) {
      release(waiter.user.name); // the client has left
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

  /** Ends a wait with the given state, unless it has ended already. */
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
    if (waiting > 0) { // the number of users is limited by the permits and the queue
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

  /** The number of users that wait and have no permit. */
  public synchronized int usersWithoutPermit() {
    return (int)
        users.values().stream().filter(it -> it.permits == 0 && !it.waiting.isEmpty()).count();
  }

  /** The number of users in memory. */
  synchronized int users() {
    return users.size();
  }

  private String full(User user) {
    return "The server is busy: %s, and %d are waiting, which is also the maximum. Try again later."
        .formatted(inProgress(user), limits.maxQueued());
  }

  private String displaced() {
    return "The server is busy: %d %s are waiting, which is the maximum, and you have more than any other user; your newest one was refused in favour of another user. Try again later."
        .formatted(limits.maxQueued(), name);
  }

  private synchronized String timedOut(User user) {
    return "The server is busy: %s, and yours waited for more than %d ms. Try again later."
        .formatted(inProgress(user), limits.queueTimeout().toMillis());
  }

  private String inProgress(User user) {
    return mayHoldMore(user)
        ? "%d %s are in progress, which is the maximum".formatted(limits.maxConcurrent(), name)
        : "%d of your %s are in progress, which is the maximum per user"
            .formatted(limits.maxOfUser(), name);
  }

  private static CancelledException cancelled() {
    return new CancelledException();
  }
}
