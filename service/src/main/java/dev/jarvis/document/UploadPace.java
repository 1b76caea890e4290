package dev.jarvis.document;

import java.io.IOException;
import java.io.InputStream;
import java.util.function.LongSupplier;

/**
 * How far an upload is ahead of the minimum rate. It has some time in reserve: waiting for the
 * client uses it up, and what arrives gives some back, at most up to the initial reserve. So a
 * burst does not pay for a long pause, and a slow object store is not the client's fault.
 * Thread-safe.
 */
final class UploadPace {
  private final long reserve;
  private final long bytesPerSecond;
  private final LongSupplier nanoTime;
  private long left; // guarded by this, as the next ones
  private boolean waiting;
  private long waitingSince;

  /**
   * @param reserve in nanoseconds
   * @param bytesPerSecond the minimum rate
   */
  UploadPace(long reserve, long bytesPerSecond, LongSupplier nanoTime) {
    this.reserve = reserve;
    this.bytesPerSecond = bytesPerSecond;
    this.nanoTime = nanoTime;
    this.left = reserve;
  }

  /** Returns the time left in nanoseconds; negative if the upload is too slow. */
  synchronized long left() {
    return waiting ? left - (nanoTime.getAsLong() - waitingSince) : left;
  }

  private synchronized void waits() {
    waiting = true;
    waitingSince = nanoTime.getAsLong();
  }

  private synchronized void arrived(int bytes) {
    // an upload that is too slow is forgiven when it speeds up
    long after = Math.max(left(), -reserve) + bytes * 1_000_000_000L / bytesPerSecond;
    waiting = false;
    left = Math.min(after, reserve);
  }

  /** Measures the reads of a stream, and what is skipped, which is read too. */
  InputStream measured(InputStream stream) {
    return new InputStream() {
      @Override
      public int read() throws IOException {
        byte[] one = new byte[1];
        return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
      }

      @Override
      public int read(byte[] bytes, int offset, int length) throws IOException {
        int read = 0;
        waits();
        try {
          read = stream.read(bytes, offset, length);
          return read;
        } finally {
          arrived(Math.max(read, 0));
        }
      }

      @Override
      public void close() throws IOException {
        stream.close();
      }
    };
  }
}
