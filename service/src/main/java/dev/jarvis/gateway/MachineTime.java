package dev.jarvis.gateway;

import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.function.LongSupplier;

/**
 * Shares the time of each provider's machine over the attempts that run on it at once: while {@code
 * n} run, each is given an {@code n}th of the time that passes. So the shares of all attempts add
 * up to the time during which at least one ran, and that is what the machine costs. Thread-safe.
 *
 * <p>A machine has a virtual clock that runs at an {@code n}th of the speed of real time; a share
 * is what that clock advanced during the attempt. What an {@code n}th leaves of a nanosecond is
 * carried over to the next interval, and goes to the last attempt in the end, so that nothing is
 * lost.
 */
public final class MachineTime {
  private final LongSupplier nanoTime;
  private final Map<String, Machine> machines = new HashMap<>(); // guarded by this

  /**
   * @param nanoTime a clock that never goes back
   */
  public MachineTime(LongSupplier nanoTime) {
    this.nanoTime = nanoTime;
  }

  /** Begins an attempt on the machine of a provider. */
  public synchronized Share start(String provider) {
    Machine machine = machines.computeIfAbsent(provider, it -> new Machine());
    machine.advance(nanoTime.getAsLong());
    machine.running++;
    return new Share(machine);
  }

  /** The part of an attempt in the time of its machine. */
  public final class Share {
    private final Machine machine;
    private final long from;
    private long nanos;
    private boolean ended;

    private Share(Machine machine) {
      this.machine = machine;
      this.from = machine.virtualNanos;
    }

    /** Ends the attempt; only the first call has an effect. */
    void end() {
      synchronized (MachineTime.this) {
        if (!ended) {
          machine.advance(nanoTime.getAsLong());
          machine.running--;
          nanos = machine.virtualNanos - from;
          if (machine.running == 0) {
            nanos += machine.rest;
            machine.rest = 0;
          }
          ended = true;
        }
      }
    }

    /** The share until the end, or until now. */
    Duration time() {
      synchronized (MachineTime.this) {
        if (!ended) {
          machine.advance(nanoTime.getAsLong());
        }
        return Duration.ofNanos(ended ? nanos : machine.virtualNanos - from);
      }
    }
  }

  /** The virtual clock of one machine. */
  private static final class Machine {
    private int running;
    private long nowNanos;
    private long virtualNanos;
    private long rest; // nanoseconds that are not shared out yet, fewer than attempts run

    private void advance(long now) {
      if (running > 0) {
        long passed = now - nowNanos + rest;
        virtualNanos += passed / running;
        rest = passed % running;
      }
      nowNanos = now;
    }
  }
}
