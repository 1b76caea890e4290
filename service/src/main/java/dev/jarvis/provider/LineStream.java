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
 * A model server's lines as an answer. Closing it drops the connection, at which the server stops.
 */
public abstract class LineStream implements EventSource {
  /** How long the end of a whole answer may take before its connection is given up. */
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
   * @param firstToken the limit for the first event that says something
   * @param betweenTokens the limit for each after it
   */
  public LineStream(InputStream body, Duration firstToken, Duration betweenTokens) {
    this.body = body;
    this.lines = new LineReader(body);
    this.firstToken = firstToken;
    this.betweenTokens = betweenTokens;
    onCancel = scope.onCancel(() -> ModelServerClient.closeQuietly(body));
  }

  /**
   * What a line says; nothing if it says nothing of the answer.
   *
   * @throws ProviderException if it reports a failure or cannot be understood
   */
  protected abstract List<Event> parse(byte[] line) throws ProviderException;

  /**
   * What the end of the body says where no line has ended the answer.
   *
   * @throws IOException if the answer is not complete
   */
  protected List<Event> bodyEnded() throws IOException {
    throw new IOException("the answer ended without its end mark");
  }

  @Override
  public Event next() throws ProviderException {
    Event event = ready.poll();
    if (event == null) {
      if (finished) {
        throw new IllegalStateException("the end was the last event");
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
      Thread.ofVirtual().name("drain").start(this::drain); // neither client nor clocks wait
    } else {
      ModelServerClient.closeQuietly(body);
    }
  }

  public static ProviderException notUnderstood(IOException cause) {
    return new ProviderException.Unavailable(
        "The model server sent what cannot be understood.", cause, true);
  }

  /** A body read to its end leaves the connection to the next request. */
  private void drain() {
    try (Alarm ignored = Alarm.after(DRAIN_LIMIT, () -> ModelServerClient.closeQuietly(body))) {
      body.skipNBytes(LineReader.LIMIT_BYTES);
    } catch (IOException ignored) {
      // The end of the stream, or of our patience.
    }
    ModelServerClient.closeQuietly(body);
  }

  /**
   * The limit is for all lines up to one that says something: keep-alive lines do not extend it.
   */
  private Event read(Duration limit) throws ProviderException {
    Alarm alarm = Alarm.after(limit, () -> ModelServerClient.closeQuietly(body));
    try (alarm) {
      Event event = null;
      while (event == null) {
        byte[] line = lines.next();
        if (closed.get() || alarm.rang() || scope.cancelled()) {
          // what looks like the end, or a last line, is neither
          throw new IOException("the body was closed on this side");
        }
        ready.addAll(line == null ? bodyEnded() : parse(line));
        event = ready.poll();
      }
      return event;
    } catch (ProviderException | RuntimeException e) {
      close();
      throw e;
    } catch (IOException e) {
      boolean byUs = closed.get();
      close();
      if (scope.cancelled()) {
        throw new CancelledException();
      }
      if (alarm.rang()) {
        throw new ProviderException.TimedOut(
            "The model server sent nothing for " + limit.toMillis() + " ms.", e);
      }
      throw new ProviderException.Unavailable(
          byUs ? "The answer was cancelled." : "The model server broke off its answer.", e, true);
    }
  }
}
