package dev.jarvis.chat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.jarvis.http.Json;
import io.helidon.webserver.ServerConnectionException;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/**
 * Server-sent events, each written out at once. A client that takes nothing for too long is given
 * up: the server has no limit of its own for a write, so the writing thread is interrupted, which
 * closes its socket.
 */
final class EventStream implements AutoCloseable {
  /** The client no longer takes what is written. */
  static final class ClientGone extends Exception {
    private static final long serialVersionUID = 1L;

    ClientGone(Throwable cause) {
      super(cause);
    }
  }

  /** Interrupts the thread that made it, never after it was switched off. */
  private static final class Alarm {
    private final Thread thread = Thread.currentThread();
    private boolean off;
    private boolean rang;

    synchronized void ring() {
      if (!off) {
        rang = true;
        thread.interrupt();
      }
    }

    synchronized void off() {
      off = true;
      if (rang) {
        Thread.interrupted(); // whatever comes next is not what it was for
      }
    }
  }

  private static final byte[] DATA = "data: ".getBytes(StandardCharsets.US_ASCII);
  private static final byte[] END = "\n\n".getBytes(StandardCharsets.US_ASCII);
  private static final byte[] DONE = "[DONE]".getBytes(StandardCharsets.US_ASCII);

  private static final ScheduledThreadPoolExecutor CLOCK = clock();

  private final OutputStream out;
  private final Duration writeLimit;

  EventStream(OutputStream out, Duration writeLimit) {
    this.out = out;
    this.writeLimit = writeLimit;
  }

  private static ScheduledThreadPoolExecutor clock() {
    ScheduledThreadPoolExecutor clock =
        new ScheduledThreadPoolExecutor(
            1, Thread.ofPlatform().daemon().name("write-limit").factory());
    clock.setRemoveOnCancelPolicy(true); // nearly every alarm is cancelled
    return clock;
  }

  void send(JsonNode event) throws ClientGone {
    write(Json.bytes(event));
  }

  /** OpenAI's mark of a stream that ended as it should. */
  void done() throws ClientGone {
    write(DONE);
  }

  private void write(byte[] data) throws ClientGone {
    Alarm alarm = new Alarm();
    var ringing = CLOCK.schedule(alarm::ring, writeLimit.toMillis(), TimeUnit.MILLISECONDS);
    try {
      out.write(DATA);
      out.write(data);
      out.write(END);
      out.flush();
    } catch (IOException | UncheckedIOException | ServerConnectionException e) {
      throw new ClientGone(e);
    } finally {
      ringing.cancel(false);
      alarm.off();
    }
  }

  @Override
  public void close() throws ClientGone {
    try {
      out.close();
    } catch (IOException | UncheckedIOException | ServerConnectionException e) {
      throw new ClientGone(e);
    }
  }
}
