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
import java.net.SocketAddress;
import java.time.Duration;
import java.util.Arrays;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.IntConsumer;
import org.jspecify.annotations.Nullable;

/**
 * Reads one client connection with a deadline for each read, and detects disconnects. The head of a
 * request must arrive within its limit after the first byte, its body within its limit after the
 * head. Used by the connection's thread only.
 *
 * <p>A read with a deadline, and one that detects a disconnect while the request is answered, runs
 * on a separate thread. The connection's thread takes its result instead of reading, so no byte is
 * lost and two threads never read at once.
 */
public final class ClientConnection {
  private static final ThreadLocal<ClientConnection> CURRENT = new ThreadLocal<>();

  /** Helidon holds a whole chunk of a body in memory, whatever its size. */
  private static final int MAX_GATHERED_BYTES = 16 << 20;

  private static final int EMPTY_LINE = 2;

  /** How soon a wait notices that it was ended early. */
  private static final long EARLY_END_NANOS = Duration.ofMillis(250).toNanos();

  /** How long the rest of an unread body is discarded, and how long the client may pause. */
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
  private boolean emptyLineSeen;
  private long deadline;
  private @Nullable AtomicBoolean earlyEnd;
  private @Nullable ChunkedFraming chunks;
  private byte @Nullable [] checked;
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
    CURRENT.set(this); // the thread serves only this connection
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
   * Gives the body of the current request more time than others, from now on. An upload takes as
   * long as the client's bandwidth requires.
   */
  public void bodyLimit(Duration limit) {
    await(Part.BODY, limit);
  }

  /**
   * Lets another thread end the wait for the rest of the current request's body, as if its time
   * were over.
   *
   * @return to be called by any thread, at any time
   */
  public Runnable bodyEnd() {
    AtomicBoolean end = new AtomicBoolean();
    earlyEnd = end;
    return () -> end.set(true);
  }

  /**
   * Sets a callback that runs before more of the current request's body is read.
   *
   * @param gathering receives the number of bytes held so far; an exception ends the read
   */
  public void gathering(IntConsumer gathering) {
    this.gathering = gathering;
  }

  /** The other end of the connection: the client or a proxy. */
  public SocketAddress peer() {
    return socket.remotePeer().address();
  }

  /** The head of a request was read; its body is next. */
  public void requestBegan(Method method) {
    await(Part.BODY, bodyLimit);
    writer.bodies(!method.equals(Method.HEAD));
  }

  /** The next response is one to {@code HEAD}. */
  public void answerWithoutBody() {
    writer.bodies(false);
  }

  /** The request was answered and its body read; another request is next. */
  public void requestEnded() {
    part = Part.NOTHING_YET;
    chunks = null;
    gathering = null;
    earlyEnd = null;
    writer.bodies(true);
    emptyLineSeen = reader.available() >= EMPTY_LINE && reader.startsWithNewLine();
    if (emptyLineSeen) {
      reader.skip(EMPTY_LINE);
    }
  }

  /**
   * The body of the current request is chunked; malformed chunks end it from now on. Extensions and
   * trailers are taken out before the server's parser sees them.
   *
   * @return whether the part that has arrived is well-formed
   */
  public boolean expectChunks() {
    chunks = new ChunkedFraming();
    int available = reader.available();
    if (available == 0) {
      return true;
    }
    checked = chunks.canonical(reader.readBytes(available));
    return checked != null;
  }

  /**
   * The request is answered although it was not read to its end. The connection is closed some time
   * after the response: closing it while the client still sends could destroy the response in
   * transit (<a href="https://www.rfc-editor.org/rfc/rfc9112#section-9.6">RFC 9112, section
   * 9.6</a>).
   */
  public void leaveUnread() {
    leftUnread = true;
  }

  /** Discards the unread rest until the client ends it or the time is over. */
  void linger() {
    long end = System.nanoTime() + LINGER_LIMIT.toNanos();
    try {
      while (leftUnread) {
        long nanos = Math.min(LINGER_SILENCE.toNanos(), end - System.nanoTime());
        leftUnread = take(reading == null ? read() : reading, nanos) != null;
      }
    } catch (RequestException | CloseConnectionException e) {
      // the time is over, or the client disconnected
    }
  }

  /**
   * Answers a request whose body was read, within a scope that is cancelled if the client
   * disconnects. That ends whatever the answer waits for, and is not an error.
   */
  public void answer(Runnable answer, Runnable gone) {
    Cancellation client = watch();
    try {
      client.run(answer);
    } catch (RuntimeException e) {
      if (e instanceof CancelledException || client.cancelled()) {
        gone.run();
        throw new CloseConnectionException("the client disconnected", e);
      }
      throw e;
    }
  }

  /**
   * Watches for a disconnect. A client that only shuts down its output counts as disconnected too:
   * TCP cannot distinguish the two, and no common HTTP client does it. A client that has already
   * sent more is not watched; its disconnect shows after those bytes, and at the next write.
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
   * The next bytes, null at the end.
   *
   * @throws RequestException with status 408 if they do not arrive in time, 413 if a chunk is too
   *     large to hold in memory, 400 if one is malformed
   * @throws CloseConnectionException if the connection breaks, or ends within a head or a body
   */
  private byte @Nullable [] receive() {
    if (part == Part.NOTHING_YET && reader.available() == 0) {
      // untimed: Helidon closes connections that are idle for too long
      byte[] bytes = withoutEmptyLine(first());
      if (bytes != null && bytes.length == 0) {
        bytes = first();
      }
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
    byte[] bytes = checked;
    checked = null;
    while (bytes == null || bytes.length == 0) {
      bytes = awaitBytes(reading == null ? read() : reading);
      if (bytes == null) {
        return end(part);
      }
      bytes = chunks == null ? bytes : canonical(chunks, bytes);
    }
    return bytes;
  }

  private static byte @Nullable [] end(Part part) {
    return switch (part) {
      case NOTHING_YET -> null;
      case HEAD -> throw new CloseConnectionException("the connection ended within a head");
      case BODY ->
          throw new ServerConnectionException(
              "the connection ended within a body", new UncheckedIOException(new EOFException()));
    };
  }

  private static byte[] canonical(ChunkedFraming chunks, byte[] bytes) {
    byte[] canonical = chunks.canonical(bytes);
    if (canonical == null) {
      throw RequestException.builder()
          .type(DirectHandler.EventType.BAD_REQUEST)
          .setKeepAlive(false)
          .message("a chunk of the body is malformed")
          .build();
    }
    return canonical;
  }

  private byte @Nullable [] first() {
    return reading == null ? receiveHere() : take(reading, Long.MAX_VALUE);
  }

  /**
   * Ignores one empty line before a request line (<a
   * href="https://www.rfc-editor.org/rfc/rfc9112#section-2.2">RFC 9112, section 2.2</a>).
   */
  private byte @Nullable [] withoutEmptyLine(byte @Nullable [] bytes) {
    if (emptyLineSeen || bytes == null || bytes.length < EMPTY_LINE) {
      return bytes;
    }
    emptyLineSeen = bytes[0] == '\r' && bytes[1] == '\n';
    return emptyLineSeen ? Arrays.copyOfRange(bytes, EMPTY_LINE, bytes.length) : bytes;
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

  /** The next bytes before the deadline, or before another thread ends the wait. */
  private byte @Nullable [] awaitBytes(FutureTask<byte @Nullable []> from) {
    AtomicBoolean end = earlyEnd;
    while (end != null && !end.get() && deadline - System.nanoTime() > EARLY_END_NANOS) {
      try {
        from.get(EARLY_END_NANOS, TimeUnit.NANOSECONDS);
        break;
      } catch (TimeoutException e) {
        // the rest of the wait may have been ended meanwhile
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        break;
      } catch (ExecutionException e) {
        break; // thrown below
      }
    }
    return take(from, end != null && end.get() ? 0 : deadline - System.nanoTime());
  }

  private byte @Nullable [] take(FutureTask<byte @Nullable []> from, long nanos) {
    reading = from; // stays set if it does not end in time
    try {
      // untimed: Helidon interrupts idle connections at shutdown
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

  /** Reads on a separate thread, which ends with the connection at the latest. */
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
