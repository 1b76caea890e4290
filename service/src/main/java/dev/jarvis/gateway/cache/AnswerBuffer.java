package dev.jarvis.gateway.cache;

import dev.jarvis.concurrent.Cancellation;
import dev.jarvis.concurrent.CancelledException;
import dev.jarvis.gateway.Answer;
import dev.jarvis.gateway.Event;
import dev.jarvis.gateway.Head;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * Holds one answer between the thread that generates it and its readers. A reader may lag behind by
 * 1 MiB, or by 64 KiB while the budget of all buffers is used up. The writer waits for readers that
 * lag further, for a limited time each, and then drops them. So a slow client holds neither a model
 * nor much memory, and a client that keeps up is never dropped because of the memory that others
 * use. After the end a reader may take its time; the write to the client has its own limit.
 * Thread-safe.
 */
public final class AnswerBuffer {
  private static final long LIMIT_BYTES = 1 << 20;
  private static final long LIMIT_WHEN_FULL_BYTES = 64 << 10;

  /** How often a writer checks for room while the budget is used up. */
  private static final Duration RECHECK = Duration.ofMillis(50);

  /** The limit for all buffers of the process. */
  static final class Budget {
    private final long limitBytes;
    private final AtomicLong usedBytes = new AtomicLong();

    Budget(long limitBytes) {
      this.limitBytes = limitBytes;
    }

    private boolean full() {
      return usedBytes.get() > limitBytes;
    }
  }

  /** A linked list, so that events become garbage once every reader has read them. */
  private static final class Node {
    private final @Nullable Event event;
    private final long end; // bytes of the answer up to and including this event
    private @Nullable Node next;

    Node(@Nullable Event event, long end) {
      this.event = event;
      this.end = end;
    }
  }

  private final Budget budget;
  private final Duration patience;
  private final Cancellation scope;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();

  // guarded by the lock
  private final Set<Reader> readers = new LinkedHashSet<>();
  private @Nullable Node first;
  private Node last = new Node(null, 0);
  private @Nullable Head head;
  private @Nullable Throwable failure;
  private boolean ended;
  private long charged;

  /**
   * @param patience how long the writer waits for a slow reader, in total
   * @param scope of the writer; cancelled when the last reader leaves before the end
   * @param keep whether to keep the beginning, so that readers can join and the answer can be
   *     cached, unless the answer grows larger than a reader may lag
   */
  AnswerBuffer(Budget budget, Duration patience, Cancellation scope, boolean keep) {
    this.budget = budget;
    this.patience = patience;
    this.scope = scope;
    first = keep ? last : null;
  }

  // The writer

  public void head(Head decided) {
    lock.lock();
    try {
      head = decided;
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /**
   * Adds an event; waits for room.
   *
   * @throws CancelledException if no reader is left
   */
  public void put(Event event) {
    lock.lock();
    try {
      long bytes = event.weight();
      List<Reader> tooSlow = withoutRoomFor(bytes);
      while (!tooSlow.isEmpty()) {
        awaitRoom(tooSlow, bytes);
        tooSlow = withoutRoomFor(bytes);
      }
      if (scope.cancelled()) {
        throw new CancelledException();
      }
      add(event, bytes);
    } finally {
      lock.unlock();
    }
  }

  /**
   * Ends the answer; never waits.
   *
   * @param cause the failure that the readers get; null if the answer is complete
   */
  public void end(Event.End end, @Nullable Throwable cause) {
    lock.lock();
    try {
      failure = cause;
      ended = true;
      first = null; // no reader can join any more
      if (cause == null) {
        add(end, 0);
      }
      charge(); // returns what was kept, even if no reader is left
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /** Every event so far; null if the beginning is not kept, or the answer has ended. */
  public @Nullable List<Event> kept() {
    lock.lock();
    try {
      if (first == null) {
        return null;
      }
      List<Event> events = new ArrayList<>();
      for (Node node = first.next; node != null; node = node.next) {
        events.add(event(node));
      }
      return events;
    } finally {
      lock.unlock();
    }
  }

  private void add(Event event, long bytes) {
    Node node = new Node(event, last.end + bytes);
    last.next = node;
    last = node;
    if (first != null && node.end > limitBytes()) {
      first = null; // too large to keep
    }
    charge();
    changed.signalAll();
  }

  private long limitBytes() {
    return budget.full() ? LIMIT_WHEN_FULL_BYTES : LIMIT_BYTES;
  }

  /** A reader that has read everything has room for an event of any size. */
  private List<Reader> withoutRoomFor(long bytes) {
    long limit = limitBytes();
    List<Reader> tooSlow = List.of();
    for (Reader reader : readers) {
      if (reader.lag() > 0 && reader.lag() + bytes > limit) {
        tooSlow = tooSlow.isEmpty() ? new ArrayList<>() : tooSlow; // allocated only if needed
        tooSlow.add(reader);
      }
    }
    return tooSlow;
  }

  /** Waits for all slow readers at the same time; drops those whose time is up. */
  @SuppressWarnings("WaitNotInLoop") // its caller loops
  private void awaitRoom(List<Reader> tooSlow, long bytes) {
    if (scope.cancelled()) {
      throw new CancelledException();
    }
    long nanos = RECHECK.toNanos();
    for (Reader reader : tooSlow) {
      nanos = Math.min(nanos, reader.patienceNanos);
    }
    long before = System.nanoTime();
    try {
      boolean ignored = changed.await(Math.max(1, nanos), TimeUnit.NANOSECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new CancelledException();
    }
    long waited = System.nanoTime() - before;
    tooSlow.forEach(it -> it.patienceNanos -= waited);
    for (Reader reader : withoutRoomFor(bytes)) {
      if (reader.patienceNanos <= 0) {
        reader.dropped = true;
        remove(reader);
      }
    }
  }

  private long lag() {
    long most = 0;
    for (Reader reader : readers) {
      most = Math.max(most, reader.lag());
    }
    return most;
  }

  /** Adjusts the budget to the bytes that are held now. */
  private void charge() {
    long held = first != null ? last.end : lag();
    budget.usedBytes.addAndGet(held - charged);
    charged = held;
  }

  private void remove(Reader reader) {
    if (readers.remove(reader)) {
      charge();
      changed.signalAll();
      if (readers.isEmpty() && !ended) {
        scope.cancel();
      }
    }
  }

  // The readers

  /** A reader from the beginning; null if that is not kept, or the answer has ended. */
  public @Nullable Reader join() {
    lock.lock();
    try {
      return first == null || scope.cancelled() || ended ? null : new Reader(first);
    } finally {
      lock.unlock();
    }
  }

  /** The first reader; must be created before the first event is put. */
  public Reader reader() {
    lock.lock();
    try {
      return new Reader(last);
    } finally {
      lock.unlock();
    }
  }

  /** The number of current readers. */
  int readers() {
    lock.lock();
    try {
      return readers.size();
    } finally {
      lock.unlock();
    }
  }

  private static Event event(Node node) {
    if (node.event == null) {
      throw new IllegalStateException("the first node has no event");
    }
    return node.event;
  }

  /** Reads the whole answer, within the cancellation scope in which it was created. */
  final class Reader implements Answer {
    private final Cancellation waiting = Cancellation.current();
    private final Cancellation.Registration wakeUp;
    private Node at;
    private long patienceNanos = patience.toNanos();
    private boolean dropped;

    private Reader(Node from) {
      at = from;
      readers.add(this);
      wakeUp = waiting.onCancel(this::wake);
    }

    private void wake() {
      lock.lock();
      try {
        changed.signalAll();
      } finally {
        lock.unlock();
      }
    }

    private long lag() {
      return last.end - at.end;
    }

    @Override
    public Head head() {
      lock.lock();
      try {
        while (head == null) {
          awaitChange(Long.MAX_VALUE);
        }
        return head;
      } finally {
        lock.unlock();
      }
    }

    @Override
    public Event next() {
      lock.lock();
      try {
        while (at.next == null) {
          awaitChange(Long.MAX_VALUE);
        }
        if (dropped) {
          throw new CancelledException();
        }
        at = at.next;
        charge();
        changed.signalAll();
        return event(at);
      } finally {
        lock.unlock();
      }
    }

    @Override
    public boolean await(Duration limit) {
      lock.lock();
      try {
        long deadline = System.nanoTime() + limit.toNanos();
        while (at.next == null) {
          long left = deadline - System.nanoTime();
          if (left <= 0) {
            return false;
          }
          awaitChange(left);
        }
        return true;
      } finally {
        lock.unlock();
      }
    }

    @SuppressWarnings("WaitNotInLoop") // its callers loop
    private void awaitChange(long nanos) {
      if (waiting.cancelled() || dropped) {
        throw new CancelledException();
      }
      if (failure instanceof RuntimeException e) {
        throw e;
      }
      if (failure instanceof Error e) {
        throw e;
      }
      try {
        if (nanos == Long.MAX_VALUE) {
          changed.await();
        } else {
          boolean ignored = changed.await(nanos, TimeUnit.NANOSECONDS);
        }
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new CancelledException();
      }
    }

    @Override
    public void close() {
      wakeUp.close();
      lock.lock();
      try {
        remove(this);
      } finally {
        lock.unlock();
      }
    }
  }
}
