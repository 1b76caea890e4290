package dev.jarvis.http.connection;

import dev.jarvis.concurrent.Cancellation;
import dev.jarvis.concurrent.CancelledException;
import io.helidon.common.buffers.DataReader;
import io.helidon.common.buffers.DataWriter;
import io.helidon.common.socket.HelidonSocket;
import io.helidon.http.DirectHandler;
import io.helidon.http.Method;
import io.helidon.http.RequestException;
import io.helidon.http.Status;
import io.helidon.webserver.CloseConnectionException;
import io.helidon.webserver.ServerConnectionException;
import java.io.EOFException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.IntConsumer;
import org.jspecify.annotations.Nullable;

/**
 * What a client sends on one connection, each wait for it with its limit; and whether it is still
 * there. A request's head must be there in time once its first byte is, its body in time after the
 * head. Used by the connection's thread alone.
 *
 * <p>A read that must not last, or that shall notice the end of the connection while the request is
 * answered, is made by a thread of its own; the connection's thread takes the result where it would
 * have read itself, so that no byte is lost and never two threads read.
 */
public final class ClientConnection {
  private static final ThreadLocal<ClientConnection> CURRENT = new ThreadLocal<>();

  /** Helidon holds a whole chunk of a body in memory, of whatever size the client says. */
  private static final int MAX_GATHERED_BYTES = 16 << 20;

  /** How long a client may go on sending a body that nobody wants, and be silent meanwhile. */
  private static final Duration LINGER_LIMIT = Duration.ofSeconds(5);

  private static final Duration LINGER_SILENCE = Duration.ofSeconds(1);

  /** What the next byte belongs to. */
  private enum Part {
    NOTHING_YET,
    HEAD,
    BODY
  }

  private final HelidonSocket socket;
  private final Duration headLimit;
  private final Duration bodyLimit;
  private final DataReader reader = DataReader.create(this::receive);
  private final ResponseWriter writer;
  private Part part = Part.NOTHING_YET;
  private long deadline;
  private @Nullable ChunkedFraming chunks;
  private @Nullable IntConsumer gathering;
  private @Nullable FutureTask<byte @Nullable []> reading;
  private boolean leftUnread;

  private final Object lock = new Object();
  private boolean ended; // guarded by the lock, as is the watch
  private @Nullable Cancellation watch;

  ClientConnection(
      HelidonSocket socket,
      DataWriter writer,
      Duration headLimit,
      Duration bodyLimit,
      Duration writeLimit) {
    this.socket = socket;
    this.writer = new ResponseWriter(writer, socket, writeLimit);
    this.headLimit = headLimit;
    this.bodyLimit = bodyLimit;
    CURRENT.set(this); // the thread serves this connection and ends with it
  }

  /** The connection that the current thread serves. */
  public static ClientConnection current() {
    ClientConnection current = CURRENT.get();
    if (current == null) {
      throw new IllegalStateException("this thread serves no connection");
    }
    return current;
  }

  DataReader reader() {
    return reader;
  }

  DataWriter writer() {
    return writer;
  }

  /**
   * Gives the body of the current request more time than others, from now on: an upload takes as
   * long as the client's line.
   */
  public void bodyLimit(Duration limit) {
    await(Part.BODY, limit);
  }

  /**
   * Asks before more of the current request's body is read.
   *
   * @param gathering gets the number of bytes that are held already; what it throws ends the read
   */
  public void gathering(IntConsumer gathering) {
    this.gathering = gathering;
  }

  /** The head of a request was read: what comes next is its body. */
  public void requestBegan(Method method) {
    await(Part.BODY, bodyLimit);
    writer.bodies(!method.equals(Method.HEAD));
  }

  /** The request was answered and its body read: what comes next is another one. */
  public void requestEnded() {
    part = Part.NOTHING_YET;
    chunks = null;
    gathering = null;
    writer.bodies(true);
  }

  /**
   * The body of the current request is chunked; broken chunks end it from now on.
   *
   * @return whether what has come of it is well framed
   */
  public boolean expectChunks() {
    chunks = new ChunkedFraming();
    int available = reader.available();
    return available == 0 || chunks.accepts(reader.getBuffer(available).readBytes());
  }

  /**
   * The request is answered without having been read to its end. The connection ends after the
   * answer, and not at once: to close it while the client still sends would destroy the answer on
   * its way (<a href="https://www.rfc-editor.org/rfc/rfc9112#section-9.6">RFC 9112, section
   * 9.6</a>).
   */
  public void leaveUnread() {
    leftUnread = true;
  }

  /** Reads and throws away what was left unread, until the client ends it or the time is over. */
  void linger() {
    long end = System.nanoTime() + LINGER_LIMIT.toNanos();
    try {
      while (leftUnread) {
        long nanos = Math.min(LINGER_SILENCE.toNanos(), end - System.nanoTime());
        leftUnread = take(reading == null ? read() : reading, nanos) != null;
      }
    } catch (RequestException | CloseConnectionException e) {
      // time is over, or the client is gone
    }
  }

  /**
   * Answers a request whose body was read, within a scope that is cancelled if the client hangs up:
   * what the answer waits for then ends, and nothing of it is an error.
   *
   * @param gone called if the client hung up
   */
  public void answer(Runnable answer, Runnable gone) {
    Cancellation client = watch();
    try {
      client.run(answer);
    } catch (RuntimeException e) {
      if (e instanceof CancelledException || client.cancelled()) {
        gone.run();
        throw new CloseConnectionException("the client is gone", e);
      }
      throw e;
    }
  }

  /**
   * Watches for the end of the connection. A client that only ends its own side counts as gone too:
   * TCP does not tell the two apart, and no HTTP client in use does it. One that has sent more
   * already is not watched: the end of its connection shows after what it sent, and at the next
   * write.
   */
  private Cancellation watch() {
    Cancellation begun = new Cancellation();
    boolean gone;
    synchronized (lock) {
      watch = begun;
      gone = ended;
    }
    if (gone) {
      begun.cancel();
    }
    if (reading == null && reader.available() == 0) {
      reading = read();
    }
    return begun;
  }

  /**
   * The next bytes, null at their end.
   *
   * @throws RequestException with status 408 if they do not come in time, 413 if a chunk is too
   *     large to be held, 400 if one is malformed
   * @throws CloseConnectionException if the connection broke, or ended within a head or a body
   */
  private byte @Nullable [] receive() {
    if (part == Part.NOTHING_YET && reader.available() == 0) {
      // without a limit: the server interrupts who is idle for too long
      byte[] bytes = reading == null ? receiveHere() : take(reading, Long.MAX_VALUE);
      await(Part.HEAD, headLimit);
      return bytes;
    }
    if (part == Part.NOTHING_YET) {
      await(Part.HEAD, headLimit);
    }
    if (reader.available() > MAX_GATHERED_BYTES) {
      throw RequestException.builder()
          .type(DirectHandler.EventType.BAD_REQUEST)
          .status(Status.REQUEST_ENTITY_TOO_LARGE_413)
          .setKeepAlive(false)
          .message("a chunk of the body is too large")
          .build();
    }
    if (gathering != null) {
      gathering.accept(reader.available());
    }
    byte[] bytes = take(reading == null ? read() : reading, deadline - System.nanoTime());
    if (bytes == null && part == Part.HEAD) {
      throw new CloseConnectionException("the connection ended within a head");
    }
    if (bytes == null && part == Part.BODY) {
      throw new ServerConnectionException(
          "the connection ended within a body", new UncheckedIOException(new EOFException()));
    }
    if (bytes != null && chunks != null && !chunks.accepts(bytes)) {
      throw RequestException.builder()
          .type(DirectHandler.EventType.BAD_REQUEST)
          .setKeepAlive(false)
          .message("a chunk of the body is malformed")
          .build();
    }
    return bytes;
  }

  private void await(Part next, Duration limit) {
    part = next;
    deadline = System.nanoTime() + limit.toNanos();
  }

  private byte @Nullable [] receiveHere() {
    try {
      return socket.get();
    } catch (UncheckedIOException e) {
      throw new ServerConnectionException("cannot read", e);
    }
  }

  private byte @Nullable [] take(FutureTask<byte @Nullable []> from, long nanos) {
    reading = from; // stays so if it does not end in time
    try {
      // a thread in a wait without limit is one that the server may interrupt to stop
      byte[] bytes = nanos == Long.MAX_VALUE ? from.get() : from.get(nanos, TimeUnit.NANOSECONDS);
      reading = null;
      return bytes;
    } catch (TimeoutException e) {
      throw RequestException.builder()
          .type(DirectHandler.EventType.OTHER)
          .status(Status.REQUEST_TIMEOUT_408)
          .setKeepAlive(false)
          .message("the client is too slow")
          .build();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new CloseConnectionException("interrupted", e);
    } catch (ExecutionException e) {
      throw new ServerConnectionException("cannot read", e.getCause());
    }
  }

  /** Reads in another thread, which ends with the connection at the latest. */
  private FutureTask<byte @Nullable []> read() {
    FutureTask<byte @Nullable []> task =
        new FutureTask<>(
            () -> {
              byte[] bytes = null;
              try {
                bytes = socket.get();
                return bytes;
              } finally {
                if (bytes == null) {
                  end();
                }
              }
            });
    Thread.ofVirtual().name("client-reader").start(task);
    return task;
  }

  private void end() {
    Cancellation waiting;
    synchronized (lock) {
      ended = true;
      waiting = watch;
    }
    if (waiting != null) {
      waiting.cancel();
    }
  }
}
