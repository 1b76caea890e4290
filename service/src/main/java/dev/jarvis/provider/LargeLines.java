package dev.jarvis.provider;

import dev.jarvis.error.ApiException;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Limits the memory that lines above 1 MiB take in all streams together, so that a few model
 * servers that send images cannot exhaust the heap. Smaller lines are limited by the number of
 * concurrent calls. Thread-safe.
 */
final class LargeLines {
  /** The budget of the process: an eighth of the heap. */
  static final LargeLines SHARED = new LargeLines(Runtime.getRuntime().maxMemory() / 8);

  private static final int LARGE_BYTES = 1 << 20;

  private final long limitBytes;
  private final AtomicLong reserved = new AtomicLong();

  LargeLines(long limitBytes) {
    this.limitBytes = limitBytes;
  }

  /** The memory of one stream: that of its largest line. */
  final class Reservation implements AutoCloseable {
    private long bytes; // guarded by this, as is closed
    private boolean closed;

    private Reservation() {}

    /**
     * Reserves the memory for a line.
     *
     * @param size of the line so far
     * @throws ApiException.Overloaded if the budget has not enough left
     */
    void grow(int size) {
      if (size > LARGE_BYTES) {
        reserve(Math.ceilDiv(size, LARGE_BYTES) * (long) LARGE_BYTES);
      }
    }

    private synchronized void reserve(long size) {
      if (closed || size <= bytes) {
        return;
      }
      if (reserved.addAndGet(size - bytes) > limitBytes) {
        reserved.addAndGet(bytes - size);
        throw new ApiException.Overloaded(
            "Large answers of model servers take more than %d MiB of memory now. Try again later."
                .formatted(limitBytes >> 20));
      }
      bytes = size;
    }

    @Override
    public synchronized void close() {
      closed = true;
      reserved.addAndGet(-bytes);
      bytes = 0;
    }
  }

  Reservation reservation() {
    return new Reservation();
  }

  /** The bytes that all streams have reserved. */
  long reserved() {
    return reserved.get();
  }
}
