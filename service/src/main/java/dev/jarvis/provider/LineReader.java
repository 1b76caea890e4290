package dev.jarvis.provider;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Splits a stream into lines, holding one of them in memory. A line ends with a line feed, a
 * carriage return, or both. Memory for a large line is reserved until the reader is closed.
 */
final class LineReader implements AutoCloseable {
  /** The maximum size of all lines of a stream, which flow through and need not fit in memory. */
  static final long STREAM_LIMIT_BYTES = 512L << 20;

  private final InputStream in;
  private final int lineLimitBytes;
  private final LargeLines.Reservation memory;
  private final byte[] buffer = new byte[8192];
  private int start;
  private int end;
  private long read;
  private boolean begun;
  private boolean afterReturn;

  /** A reader with the limits of a model server's answer. */
  LineReader(InputStream in) {
    this(in, ModelServerClient.CHAT_LIMIT_BYTES, LargeLines.SHARED);
  }

  LineReader(InputStream in, int lineLimitBytes, LargeLines large) {
    this.in = in;
    this.lineLimitBytes = lineLimitBytes;
    this.memory = large.reservation();
  }

  /**
   * The next line without its end, or null at the end of the stream. The last line may lack its
   * end; if the stream broke in the middle of it, it cannot be parsed.
   *
   * @throws AnswerTooLongException if the line or the stream is too long
   * @throws dev.jarvis.error.ApiException.Overloaded if there is no memory for the line
   */
  byte @Nullable [] next() throws IOException {
    ByteArrayOutputStream parts = null;
    while (true) {
      if (afterReturn && start < end) {
        start += buffer[start] == '\n' ? 1 : 0;
        afterReturn = false;
      }
      for (int i = start; i < end; i++) {
        if (buffer[i] == '\n' || buffer[i] == '\r') {
          byte[] line = line(parts, i);
          afterReturn = buffer[i] == '\r';
          start = i + 1;
          return line;
        }
      }
      if (start < end) {
        parts = parts == null ? new ByteArrayOutputStream() : parts;
        parts.write(buffer, start, end - start);
        check(parts.size());
      }
      start = 0;
      end = Math.max(0, in.read(buffer));
      read += end;
      if (end == 0) {
        return parts == null ? null : line(parts, 0);
      }
      if (read > STREAM_LIMIT_BYTES) {
        throw new AnswerTooLongException("stream", STREAM_LIMIT_BYTES);
      }
    }
  }

  private void check(int size) throws AnswerTooLongException {
    if (size > lineLimitBytes) {
      throw new AnswerTooLongException("event", lineLimitBytes);
    }
    memory.grow(size);
  }

  /** Reserves the memory for what is gathered from several lines. */
  void reserve(int size) {
    memory.grow(size);
  }

  /** The line whose last bytes are in the buffer, up to an index. */
  private byte[] line(@Nullable ByteArrayOutputStream parts, int until) {
    byte[] line;
    if (parts == null) {
      line = Arrays.copyOfRange(buffer, start, until);
    } else {
      parts.write(buffer, start, until - start);
      line = parts.toByteArray();
    }
    boolean first = !begun;
    begun = true;
    return first && hasByteOrderMark(line) ? Arrays.copyOfRange(line, 3, line.length) : line;
  }

  private static boolean hasByteOrderMark(byte[] line) {
    return line.length >= 3
        && line[0] == (byte) 0xEF
        && line[1] == (byte) 0xBB
        && line[2] == (byte) 0xBF;
  }

  /** Releases the memory of large lines; idempotent. */
  @Override
  public void close() {
    memory.close();
  }
}
