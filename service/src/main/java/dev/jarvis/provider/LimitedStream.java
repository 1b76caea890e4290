package dev.jarvis.provider;

import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;

/** A stream that fails when more than a given number of bytes has been read. */
final class LimitedStream extends FilterInputStream {
  private final int limitBytes;
  private long read;

  LimitedStream(InputStream in, int limitBytes) {
    super(in);
    this.limitBytes = limitBytes;
  }

  /** Whether the limit was exceeded. */
  boolean exceeded() {
    return read > limitBytes;
  }

  @Override
  public int read() throws IOException {
    int next = super.read();
    count(next < 0 ? 0 : 1);
    return next;
  }

  @Override
  public int read(byte[] bytes, int offset, int length) throws IOException {
    int count = super.read(bytes, offset, length);
    count(Math.max(count, 0));
    return count;
  }

  private void count(int bytes) throws IOException {
    read += bytes;
    if (exceeded()) {
      throw new AnswerTooLongException("answer", limitBytes);
    }
  }
}
