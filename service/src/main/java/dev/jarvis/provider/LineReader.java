package dev.jarvis.provider;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import org.jspecify.annotations.Nullable;

/** Splits a stream into lines of limited length, holding one of them in memory. */
final class LineReader {
  static final int LIMIT_BYTES = 1 << 20;

  private final InputStream in;
  private final byte[] buffer = new byte[8192];
  private int start;
  private int end;

  LineReader(InputStream in) {
    this.in = in;
  }

  /**
   * The next line without its line feed, or null at the end. The last line may lack its line feed;
   * if the stream broke in the middle of it, it cannot be parsed.
   *
   * @throws IOException also for a line longer than 1 MiB
   */
  byte @Nullable [] next() throws IOException {
    ByteArrayOutputStream line = new ByteArrayOutputStream();
    while (true) {
      for (int i = start; i < end; i++) {
        if (buffer[i] == '\n') {
          line.write(buffer, start, i - start);
          start = i + 1;
          return line.toByteArray();
        }
      }
      line.write(buffer, start, end - start);
      if (line.size() > LIMIT_BYTES) {
        throw new IOException("a line is longer than the maximum of " + LIMIT_BYTES + " bytes");
      }
      start = 0;
      end = Math.max(0, in.read(buffer));
      if (end == 0) {
        return line.size() > 0 ? line.toByteArray() : null;
      }
    }
  }
}
