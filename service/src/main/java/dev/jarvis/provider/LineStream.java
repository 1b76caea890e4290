package dev.jarvis.provider;

import dev.jarvis.concurrent.Alarm;
import dev.jarvis.concurrent.Cancellation;
import dev.jarvis.concurrent.CancelledException;
import dev.jarvis.gateway.Event;
import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * An answer from the lines that a model server sends. Closing it before the end closes the
 * connection, which makes the server stop.
 */
public abstract class LineStream implements EventSource {
  /** How long to wait for the end of the body, so that the connection can be reused. */
  private static final Duration DRAIN_LIMIT = Duration.ofMillis(250);

  private final InputStream body;
  private final LineReader lines;
  private final Duration firstToken;
  private final Duration betweenTokens;
  private final Cancellation scope = Cancellation.current();
  private final Cancellation.Registration onCancel;
  private final AtomicBoolean closed = new AtomicBoolean();
  private final Deque<Event> ready = new ArrayDeque<>();
  private boolean begun;
  private boolean finished;

  /**
   * @param firstToken the limit for the first output of the model
   * @param betweenTokens the limit for each output after it
   */
  public LineStream(InputStream body, Duration firstToken, Duration betweenTokens) {
    this.body = body;
    this.lines = new LineReader(body);
    this.firstToken = firstToken;
    this.betweenTokens = betweenTokens;
    onCancel = scope.onCancel(() -> ModelServerClient.closeQuietly(body));
  }

  /**
   * The events of a line; may be empty.
   *
   * @throws ProviderException if the line reports a failure or is invalid
   */
  protected abstract List<Event> parse(byte[] line) throws ProviderException;

  /**
   * The events at the end of a body of which no line has ended the answer.
   *
   * @throws IOException if the answer is not complete
   */
  protected List<Event> bodyEnded() throws IOException {
    throw new IOException("the body ended before the end of the answer");
  }

  @Override
  public Event next() throws ProviderException {
    Event event = ready.poll();
    if (event == null) {
      if (finished) {
        throw new IllegalStateException("the answer has ended");
      }
      event = read(begun ? betweenTokens : firstToken);
    }
    begun |= event.says();
    finished |= event instanceof Event.End;
    return event;
  }

  @Override
  public void close() {
    if (!closed.compareAndSet(false, true)) {
      return;
    }
    onCancel.close();
    if (finished) {
      Thread.ofVirtual().name("drain").start(this::drain); // so that the client need not wait
    } else {
      ModelServerClient.closeQuietly(body);
    }
  }

  public static ProviderException invalidResponse(IOException cause) {
    return new ProviderException.Unavailable(
        "The model server sent an invalid response.", cause, true);
  }

  /** Reads the body to its end, so that the connection can be reused. */
  private void drain() {
    try (Alarm ignored = Alarm.after(DRAIN_LIMIT, () -> ModelServerClient.closeQuietly(body))) {
      body.skipNBytes(LineReader.LIMIT_BYTES);
    } catch (IOException ignored) {
      // The stream has ended, or the time is up.
    }
    ModelServerClient.closeQuietly(body);
  }

  /**
   * Reads lines up to the next event. The limit is for all of them: keep-alive lines do not extend
   * it.
   */
  private Event read(Duration limit) throws ProviderException {
    Alarm alarm = Alarm.after(limit, () -> ModelServerClient.closeQuietly(body));
    try (alarm) {
      Event event = null;
      while (event == null) {
        byte[] line = lines.next();
        if (closed.get() || alarm.rang() || scope.cancelled()) {
          // closing the body may look like its end, or like the end of a line
          throw new IOException("the body was closed by the client");
        }
        ready.addAll(line == null ? bodyEnded() : parse(line));
        event = ready.poll();
      }
      return event;
    } catch (ProviderException | RuntimeException e) {
      close();
      throw e;
    } catch (IOException e) {
      boolean closedBefore = closed.get();
      close();
      if (scope.cancelled()) {
        throw new CancelledException();
      }
      if (alarm.rang()) {
        throw new ProviderException.TimedOut(
            "The model server sent nothing for " + limit.toMillis() + " ms.", e);
      }
      throw new ProviderException.Unavailable(
          closedBefore ? "The answer was cancelled." : ModelServerClient.BROKEN_OFF, e, true);
    }
  }
}
