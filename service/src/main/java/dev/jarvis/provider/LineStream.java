package dev.jarvis.provider;

import com.fasterxml.jackson.databind.JsonNode;
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
import org.jspecify.annotations.Nullable;

/**
 * An answer from the JSON values in the lines that a model server sends. Closing it before the end
 * closes the connection, which makes the server stop.
 */
public abstract class LineStream implements EventSource {
  /** How long to wait for the end of the body, so that the connection can be reused. */
  private static final Duration DRAIN_LIMIT = Duration.ofMillis(250);

  private static final int DRAIN_LIMIT_BYTES = 1 << 20;

  private final InputStream body;
  private final LineReader lines;
  private final EventReader values;
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
  public LineStream(
      InputStream body, EventReader.Framing framing, Duration firstToken, Duration betweenTokens) {
    this.body = body;
    this.lines = new LineReader(body);
    this.values = new EventReader(framing, lines::reserve);
    this.firstToken = firstToken;
    this.betweenTokens = betweenTokens;
    onCancel = scope.onCancel(() -> ModelServerClient.closeQuietly(body));
  }

  /**
   * The events of a JSON value; may be empty.
   *
   * @throws ProviderException if the value reports a failure or is invalid
   */
  protected abstract List<Event> parse(JsonNode value) throws ProviderException;

  /** Whether everything has arrived but the mark of the end. */
  protected boolean complete() {
    return false;
  }

  /** The events at the end of a complete body of which no line has ended the answer. */
  protected List<Event> bodyEnded() {
    throw new IllegalStateException("the answer is not complete");
  }

  /** Whether the server used another framing than expected. */
  protected final boolean unexpectedFraming() {
    return values.unexpected();
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
    lines.close();
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

  /** The exception for an answer that is not complete. */
  public static ProviderException brokenOff() {
    return new ProviderException.Unavailable(
        ModelServerClient.BROKEN_OFF,
        new IOException("the body ended before the end of the answer"),
        true);
  }

  /** Reads the body to its end, so that the connection can be reused. */
  private void drain() {
    try (Alarm ignored = Alarm.after(DRAIN_LIMIT, () -> ModelServerClient.closeQuietly(body))) {
      body.skipNBytes(DRAIN_LIMIT_BYTES);
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
        byte[] line = line(alarm);
        if (line == null) {
          ended();
        } else {
          parse(values.line(line));
        }
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
            "The model server sent no output for " + limit.toMillis() + " ms.", e);
      }
      if (e instanceof AnswerTooLongException it) {
        throw ModelServerClient.tooLong(it);
      }
      throw new ProviderException.Unavailable(
          closedBefore ? "The answer was cancelled." : ModelServerClient.BROKEN_OFF, e, true);
    }
  }

  /** Ignores what follows the end of the answer. */
  private void parse(List<JsonNode> all) throws ProviderException {
    for (JsonNode value : all) {
      if (!(ready.peekLast() instanceof Event.End)) {
        ready.addAll(parse(value));
      }
    }
  }

  /** The next line; null at the end, or where the connection breaks after a complete answer. */
  private byte @Nullable [] line(Alarm alarm) throws IOException {
    byte[] line;
    try {
      line = lines.next();
    } catch (IOException e) {
      if (stopped(alarm) || !complete() || e instanceof AnswerTooLongException) {
        throw e;
      }
      return null;
    }
    if (stopped(alarm)) {
      // closing the body may look like its end, or like the end of a line
      throw new IOException("the body was closed by the client");
    }
    return line;
  }

  private boolean stopped(Alarm alarm) {
    return closed.get() || alarm.rang() || scope.cancelled();
  }

  /** Accepts the end of the body if the answer is complete; then a cut value does not matter. */
  private void ended() throws ProviderException, IOException {
    boolean complete = complete();
    try {
      parse(values.end());
    } catch (ProviderException e) {
      if (!complete) {
        throw e;
      }
    }
    if (ready.peekLast() instanceof Event.End) {
      return;
    }
    if (!complete()) {
      throw new IOException("the body ended before the end of the answer");
    }
    ready.addAll(bodyEnded());
  }
}
