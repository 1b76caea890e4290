package dev.jarvis.concurrent;

import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A scope of work that can be cancelled. Code that blocks registers an action that ends its wait
 * (close a body, cancel a statement, wake a queue); cancelling runs all registered actions once. It
 * replaces thread interrupts, which also affect other code on the thread: an interrupted JDBC call,
 * for example, loses its pooled connection. Thread-safe.
 */
public final class Cancellation {
  private static final Logger LOG = LoggerFactory.getLogger(Cancellation.class);
  private static final ScopedValue<Cancellation> CURRENT = ScopedValue.newInstance();

  private final CountDownLatch latch = new CountDownLatch(1);
  private final Set<Registration> registrations = new LinkedHashSet<>(); // guarded by itself
  private boolean cancelled; // guarded by registrations

  /** A registered action; must be closed when the wait is over. */
  public final class Registration implements AutoCloseable {
    private final Runnable action;

    private Registration(Runnable action) {
      this.action = action;
    }

    /** Removes the action, unless the scope is being cancelled now. Idempotent. */
    @Override
    public void close() {
      synchronized (registrations) {
        registrations.remove(this);
      }
    }
  }

  /**
   * The scope of the current thread; outside of {@link #run} and {@link #call} a new one, which is
   * never cancelled.
   */
  public static Cancellation current() {
    return CURRENT.isBound() ? CURRENT.get() : new Cancellation();
  }

  /** Runs work within this scope, on the current thread. */
  public <T, E extends Exception> T call(ScopedValue.CallableOp<T, E> work) throws E {
    return ScopedValue.where(CURRENT, this).call(work);
  }

  /** Runs work within this scope, on the current thread. */
  public void run(Runnable work) {
    ScopedValue.where(CURRENT, this).run(work);
  }

  /**
   * Registers an action that ends a wait. It runs at most once: on the thread that cancels, or
   * immediately on this thread if the scope is cancelled already. It must be quick, and may run
   * when the wait has just ended.
   */
  public Registration onCancel(Runnable action) {
    Registration registration = new Registration(action);
    synchronized (registrations) {
      if (!cancelled) {
        registrations.add(registration);
        return registration;
      }
    }
    run(registration);
    return registration;
  }

  /** Runs every registered action; idempotent. */
  public void cancel() {
    List<Registration> ending;
    synchronized (registrations) {
      if (cancelled) {
        return;
      }
      cancelled = true;
      ending = new ArrayList<>(registrations);
      registrations.clear();
    }
    latch.countDown();
    ending.forEach(Cancellation::run);
  }

  public boolean cancelled() {
    return latch.getCount() == 0;
  }

  /** Waits; returns true as soon as the scope is cancelled, false after the limit. */
  public boolean await(Duration limit) {
    try {
      return latch.await(limit.toNanos(), TimeUnit.NANOSECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt(); // the service stops
      return true;
    }
  }

  /** Catches exceptions, so that the other actions run too. */
  private static void run(Registration registration) {
    try {
      registration.action.run();
    } catch (RuntimeException e) {
      LOG.atWarn().setCause(e).log("a cancellation action failed");
    }
  }
}
