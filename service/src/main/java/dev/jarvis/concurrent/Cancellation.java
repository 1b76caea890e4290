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
 * The scope of work that somebody waits for. Code that blocks registers what ends its wait (close a
 * body, cancel a statement, wake a queue); cancelling runs all of these once. It replaces thread
 * interrupts, which also hit whatever else the thread happens to do: an interrupted JDBC call, for
 * example, loses its pooled connection. Thread-safe.
 */
public final class Cancellation {
  private static final Logger LOG = LoggerFactory.getLogger(Cancellation.class);
  private static final ScopedValue<Cancellation> CURRENT = ScopedValue.newInstance();

  private final CountDownLatch latch = new CountDownLatch(1);
  private final Set<Registration> registrations = new LinkedHashSet<>(); // guarded by itself
  private boolean cancelled; // guarded by registrations

  /** What ends one wait; closing it says that the wait is over. */
  public final class Registration implements AutoCloseable {
    private final Runnable action;

    private Registration(Runnable action) {
      this.action = action;
    }

    /** The action does not run after this, unless the scope is being cancelled now. Idempotent. */
    @Override
    public void close() {
      synchronized (registrations) {
        registrations.remove(this);
      }
    }
  }

  /**
   * The scope that the current thread works in; one that nobody cancels outside of {@link #run}.
   */
  public static Cancellation current() {
    return CURRENT.isBound() ? CURRENT.get() : new Cancellation();
  }

  /** Does work within this scope, on the current thread. */
  public <T, E extends Exception> T call(ScopedValue.CallableOp<T, E> work) throws E {
    return ScopedValue.where(CURRENT, this).call(work);
  }

  /** Does work within this scope, on the current thread. */
  public void run(Runnable work) {
    ScopedValue.where(CURRENT, this).run(work);
  }

  /**
   * Registers what ends a wait. It runs at most once, on the thread that cancels, or at once on
   * this one if the scope is cancelled already; it must be quick and may be called while the wait
   * is just ending.
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

  /** Ends every registered wait; idempotent. */
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

  /** Waits; returns early, with true, once cancelled. */
  public boolean await(Duration limit) {
    try {
      return latch.await(limit.toNanos(), TimeUnit.NANOSECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt(); // the service stops
      return true;
    }
  }

  /** One that fails must not keep the others from running. */
  private static void run(Registration registration) {
    try {
      registration.action.run();
    } catch (RuntimeException e) {
      LOG.atWarn().setCause(e).log("cancelling failed");
    }
  }
}
