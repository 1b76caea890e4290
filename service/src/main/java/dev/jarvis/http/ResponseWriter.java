package dev.jarvis.http;

import io.helidon.common.buffers.BufferData;
import io.helidon.common.buffers.DataWriter;
import java.util.Arrays;

/**
 * Writes answers to one client; to {@code HEAD} their heads only, which Helidon leaves to its user.
 * A head is always written whole, at the beginning of the first buffer.
 */
final class ResponseWriter implements DataWriter {
  private static final byte[] END_OF_HEAD = {'\r', '\n', '\r', '\n'};

  private final DataWriter writer;
  private boolean bodies = true;
  private boolean headWritten;

  ResponseWriter(DataWriter writer) {
    this.writer = writer;
  }

  /** Whether the answer that is written next has a body. */
  void bodies(boolean bodies) {
    this.bodies = bodies;
    this.headWritten = false;
  }

  @Override
  public void write(BufferData... buffers) {
    write(BufferData.create(buffers));
  }

  @Override
  public void write(BufferData buffer) {
    if (bodies) {
      writer.write(buffer);
    } else if (!headWritten) {
      headWritten = true;
      writer.write(head(buffer));
    }
  }

  @Override
  public void writeNow(BufferData... buffers) {
    writeNow(BufferData.create(buffers));
  }

  /** Used for what is no answer yet, such as {@code 100 Continue}. */
  @Override
  public void writeNow(BufferData buffer) {
    writer.writeNow(buffer);
  }

  @Override
  public void flush() {
    writer.flush();
  }

  @Override
  public void close() {
    writer.close();
  }

  private static BufferData head(BufferData answer) {
    byte[] bytes = answer.readBytes();
    for (int end = END_OF_HEAD.length; end <= bytes.length; end++) {
      if (endsHead(bytes, end)) {
        return BufferData.create(bytes, 0, end);
      }
    }
    return BufferData.create(bytes);
  }

  private static boolean endsHead(byte[] bytes, int end) {
    return Arrays.equals(bytes, end - END_OF_HEAD.length, end, END_OF_HEAD, 0, END_OF_HEAD.length);
  }
}
