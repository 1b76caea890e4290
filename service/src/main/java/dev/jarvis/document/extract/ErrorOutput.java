package dev.jarvis.document.extract;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;

/** Reads all of a process's standard error, so that the process never blocks, and keeps the end. */
final class ErrorOutput {
  private static final int KEPT_BYTES = 8 << 10;
  private static final Duration END_LIMIT = Duration.ofSeconds(1);

  private final InputStream in;
  private final Thread reader;
  private byte[] kept = new byte[0];

  private ErrorOutput(InputStream in) {
    this.in = in;
    this.reader = Thread.ofVirtual().name("extract-errors").unstarted(this::read);
  }

  static ErrorOutput of(InputStream in) {
    ErrorOutput output = new ErrorOutput(in);
    output.reader.start();
    return output;
  }

  /** Returns the last 8 KiB as one line; waits at most a second for the output to end. */
  String last() throws InterruptedException {
    reader.join(END_LIMIT);
    synchronized (this) {
      return new String(kept, StandardCharsets.UTF_8).strip().replaceAll("\\s*\\R\\s*", " | ");
    }
  }

  private void read() {
    byte[] buffer = new byte[KEPT_BYTES];
    try (in) {
      for (int read = in.read(buffer); read >= 0; read = in.read(buffer)) {
        keep(buffer, read);
      }
    } catch (IOException e) {
      // the process was ended
    }
  }

  private synchronized void keep(byte[] buffer, int length) {
    int before = Math.min(kept.length, KEPT_BYTES - length);
    byte[] joined = new byte[before + length];
    System.arraycopy(kept, kept.length - before, joined, 0, before);
    System.arraycopy(buffer, 0, joined, before, length);
    kept = joined;
  }
}
