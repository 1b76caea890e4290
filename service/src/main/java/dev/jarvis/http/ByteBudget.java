package dev.jarvis.http;

import dev.jarvis.error.ApiException;
import java.util.HashMap;
import java.util.Map;

/**
 * Limits the memory that the bodies and responses of all requests in progress take. One user can
 * reserve at most half of it, so that no user locks the others out. A user without reservations
 * takes no memory here. Thread-safe.
 */
public final class ByteBudget {
  private static final int DEFAULT_PART_OF_HEAP = 4;

  private final long total;
  private final Map<String, Long> users = new HashMap<>(); // guarded by this, as is reserved
  private long reserved;

  /**
   * A budget without reservations.
   *
   * @param total bytes; 0 for a quarter of the JVM's largest heap
   */
  public ByteBudget(long total) {
    this.total = total == 0 ? Runtime.getRuntime().maxMemory() / DEFAULT_PART_OF_HEAP : total;
  }

  /** Memory that is reserved for one request. Closing it releases all of it, and is idempotent. */
  public final class Reservation implements AutoCloseable {
    private final String user;
    private long bytes; // guarded by the budget, as is closed
    private boolean closed;

    private Reservation(String user) {
      this.user = user;
    }

    /**
     * Changes the size of the reservation.
     *
     * @param bytes the new size
     * @throws ApiException.Overloaded if the budget has not enough left; the size stays the same
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
     * @throws ApiException.Overloaded if the budget has not enough left; the size stays the same
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

  /** An empty reservation, which is released when the request ends at the latest. */
  public Reservation of(Exchange exchange) {
    Reservation reservation = reserve(String.valueOf(exchange.userId()), 0);
    exchange.atEnd(reservation::close);
    return reservation;
  }

  /**
   * Reserves memory; never waits.
   *
   * @throws ApiException.Overloaded if the budget has not enough left
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

  /** The maximum number of bytes for one user. */
  public long share() {
    return total / 2;
  }

  /** The bytes that all users have reserved. */
  public synchronized long reserved() {
    return reserved;
  }

  /** The number of users with reservations. */
  synchronized int users() {
    return users.size();
  }
}
