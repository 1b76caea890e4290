package dev.jarvis.http;

import dev.jarvis.error.ApiException;
import java.util.HashMap;
import java.util.Map;

/**
 * Bounds the memory that the bodies and answers of all requests in flight take, and the part of it
 * that one user's take: half of it, so that no user keeps the others out. Keeps nothing about a
 * user without reservations. Thread-safe.
 */
public final class ByteBudget {
  private static final int DEFAULT_PART_OF_HEAP = 4;

  private final long total;
  private final Map<String, Long> users = new HashMap<>(); // guarded by this, as is the next
  private long reserved;

  /**
   * A budget of which nothing is reserved.
   *
   * @param total bytes; 0 for a quarter of the JVM's largest heap
   */
  public ByteBudget(long total) {
    this.total = total == 0 ? Runtime.getRuntime().maxMemory() / DEFAULT_PART_OF_HEAP : total;
  }

  /** Some of the budget, for one request; closing it gives all of it back, and is idempotent. */
  public final class Reservation implements AutoCloseable {
    private final String user;
    private long bytes; // guarded by the budget, as is the next
    private boolean closed;

    private Reservation(String user) {
      this.user = user;
    }

    /**
     * Reserves more, or less.
     *
     * @param bytes in all
     * @throws ApiException.Overloaded if it is more and there is no room; what was reserved stays
     *     so
     */
    public void resize(long bytes) {
      synchronized (ByteBudget.this) {
        if (!closed) {
          change(user, bytes - this.bytes);
          this.bytes = bytes;
        }
      }
    }

    /**
     * Reserves more.
     *
     * @throws ApiException.Overloaded if there is no room; what was reserved stays so
     */
    public void add(long bytes) {
      synchronized (ByteBudget.this) {
        resize(this.bytes + bytes);
      }
    }

    @Override
    public void close() {
      resize(0);
      synchronized (ByteBudget.this) {
        closed = true;
      }
    }
  }

  /** Nothing yet, to be given back when the request ends at the latest. */
  public Reservation of(Exchange exchange) {
    Reservation reservation = reserve(String.valueOf(exchange.userId()), 0);
    exchange.atEnd(reservation::close);
    return reservation;
  }

  /**
   * Reserves memory; never waits.
   *
   * @throws ApiException.Overloaded if there is no room
   */
  public Reservation reserve(String user, long bytes) {
    Reservation reservation = new Reservation(user);
    reservation.resize(bytes);
    return reservation;
  }

  private void change(String user, long change) {
    long ofUser = users.getOrDefault(user, 0L) + change;
    if (change > 0 && ofUser > share()) {
      throw new ApiException.Overloaded(
          "Your requests in progress and their answers take %d bytes of memory; %d more would exceed the maximum of %d. Try again later."
              .formatted(ofUser - change, change, share()));
    }
    if (change > 0 && reserved + change > total) {
      throw new ApiException.Overloaded(
          "The server is busy: all requests in progress and their answers take %d bytes of memory; %d more would exceed the maximum of %d. Try again later."
              .formatted(reserved, change, total));
    }
    reserved += change;
    if (ofUser == 0) {
      users.remove(user);
    } else {
      users.put(user, ofUser);
    }
  }

  /** Most bytes of one user's requests. */
  public long share() {
    return total / 2;
  }

  /** The bytes that are reserved now, of all users. */
  public synchronized long reserved() {
    return reserved;
  }

  /** How many users are kept in memory. */
  synchronized int users() {
    return users.size();
  }
}
