package dev.jarvis.http.connection;

import dev.jarvis.concurrent.Alarm;
import io.helidon.common.buffers.BufferData;
import io.helidon.common.buffers.DataWriter;
import io.helidon.common.socket.HelidonSocket;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.Arrays;

/**
 * Writes responses to one client, and to {@code HEAD} only their heads, which Helidon leaves to its
 * user. Helidon writes a head whole, at the beginning of the first buffer.
 *
 * <p>Closes the connection of a client that reads too slowly, because Helidon has no time limit for
 * a write. The blocked write and all later ones then fail as if the client had closed it.
 */
final class ResponseWriter implements DataWriter {
  private static final byte[] END_OF_HEAD = {'\r', '\n', '\r', '\n'};

  /** Small, so that the speed of a client shows while a large response is written. */
  private static final int PIECE_BYTES = 64 << 10;

  private final DataWriter writer;
  private final HelidonSocket socket;
  private final WritePatience patience;
  private boolean bodies = true;
  private boolean headWritten;

  /**
   * @param limit how long the client may block writes beyond the time that the minimum rate allows
   */
  ResponseWriter(DataWriter writer, HelidonSocket socket, Duration limit) {
    this.writer = writer;
    this.socket = socket;
    this.patience = new WritePatience(limit);
  }

  /** Whether the next response has a body. */
  void bodies(boolean bodies) {
    this.bodies = bodies;
    this.headWritten = false;
    patience.renew();
  }

  @Override
  public void write(BufferData... buffers) {
    write(BufferData.create(buffers));
  }

  @Override
  public void write(BufferData buffer) {
    if (bodies) {
      writeNow(buffer);
    } else if (!headWritten) {
      headWritten = true;
      writeNow(head(buffer));
    }
  }

  @Override
  public void writeNow(BufferData... buffers) {
    writeNow(BufferData.create(buffers));
  }

  /** Helidon uses it for interim responses, such as {@code 100 Continue}. */
  @Override
  public void writeNow(BufferData buffer) {
    if (buffer.available() <= PIECE_BYTES) {
      writeInTime(buffer);
      return;
    }
    byte[] piece = new byte[PIECE_BYTES];
    while (buffer.available() > 0) {
      int length = buffer.read(piece, 0, Math.min(PIECE_BYTES, buffer.available()));
      writeInTime(BufferData.create(piece, 0, length));
    }
  }

  private void writeInTime(BufferData piece) {
    int bytes = piece.available();
    long before = System.nanoTime();
    try (Alarm ignored = Alarm.after(patience.left(), this::giveUp)) {
      writer.writeNow(piece);
    }
    patience.wrote(bytes, System.nanoTime() - before);
  }

  /** Wakes the thread that is blocked in the write, without blocking. */
  private void giveUp() {
    try {
      socket.close();
    } catch (UncheckedIOException e) {
      // the client has just reset it, which wakes the thread too
    }
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
