package dev.jarvis.identity;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.time.Duration;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Limits how often one address may present a credential that is not valid: so many times at once,
 * and afterwards at an even rate. A failure counts when it has happened; attempts that are still
 * being checked wait for each other where they would exceed the limit if they all failed.
 *
 * <p>Each replica counts for itself. IPv6 addresses count by their first 64 bits, which one client
 * may have to itself.
 */
final class FailedAttempts {
  private static final long MINUTE = Duration.ofMinutes(1).toNanos();
  private static final int MAX_ADDRESSES = 10_000;
  private static final int NETWORK_BYTES = 8;

  /** Longer than checking a key may take. */
  private static final Duration WAIT_LIMIT = Duration.ofSeconds(30);

  private final int perMinute;
  private final LongSupplier nanoTime;
  private final Cache<String, Address> addresses;

  FailedAttempts(int perMinute, LongSupplier nanoTime) {
    this.perMinute = perMinute;
    this.nanoTime = nanoTime;
    this.addresses =
        Caffeine.newBuilder()
            .maximumSize(MAX_ADDRESSES)
            .expireAfterAccess(Duration.ofMinutes(2)) // by then no failure counts any more
            .ticker(nanoTime::getAsLong)
            .executor(Runnable::run)
            .build();
  }

  /**
   * Begins an attempt, which must be ended.
   *
   * @param client null if the address is not known
   * @throws AuthenticationFailure if the address has had too many failures
   */
  Attempt begin(@Nullable InetAddress client) {
    Address address = addresses.get(network(client), it -> new Address());
    address.begin();
    return address::end;
  }

  /** An attempt that runs. */
  interface Attempt {
    /** Ends the attempt; only a failure counts. */
    void end(boolean failed);
  }

  private static String network(@Nullable InetAddress client) {
    return switch (client) {
      case null -> "";
      case Inet6Address it ->
          HexFormat.of().formatHex(Arrays.copyOf(it.getAddress(), NETWORK_BYTES));
      case InetAddress it -> it.getHostAddress();
    };
  }

  /** How many addresses are remembered. */
  long size() {
    addresses.cleanUp();
    return addresses.estimatedSize();
  }

  /** The generic cell rate algorithm: one number says how much of the limit is used up. */
  private final class Address {
    private final long interval = MINUTE / perMinute;
    private long used; // nanoseconds of the minute, as of then
    private long then = nanoTime.getAsLong();
    private int running;

    synchronized void begin() {
      long deadline = System.nanoTime() + WAIT_LIMIT.toNanos();
      try {
        while (used() + (running + 1) * interval > MINUTE) {
          long millis = (deadline - System.nanoTime()) / 1_000_000;
          if (used + interval > MINUTE) {
            throw AuthenticationFailure.tooMany(Duration.ofNanos(used + interval - MINUTE));
          } else if (millis <= 0) {
            throw AuthenticationFailure.unavailable(null);
          }
          wait(millis);
        }
        running++;
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw AuthenticationFailure.unavailable(e);
      }
    }

    private synchronized long used() {
      long now = nanoTime.getAsLong();
      used = Math.max(0, used - (now - then));
      then = now;
      return used;
    }

    synchronized void end(boolean failed) {
      running--;
      if (failed) {
        used += interval;
      }
      notifyAll();
    }
  }
}
