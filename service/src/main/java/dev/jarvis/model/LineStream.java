package dev.jarvis.model;

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
abstract class LineStream implements ChatStream {
  /** How long the end of a whole answer may take before its connection is given up. */
  private static final Duration DRAIN_LIMIT = Duration.ofMillis(250);

  private final InputStream body;
  private final LineReader lines;
  private final Duration betweenTokens;
  private final AtomicBoolean closed = new AtomicBoolean();
  private volatile boolean finished;
  private final Deque<Chunk> ready = new ArrayDeque<>();

  LineStream(InputStream body, Duration betweenTokens) {
    this.body = body;
    this.lines = new LineReader(body);
    this.betweenTokens = betweenTokens;
  }

  /**
   * What a line says; nothing if it says nothing of the answer.
   *
   * @throws ModelException if it tells of a failure or cannot be understood
   */
  abstract List<Chunk> parse(byte[] line) throws ModelException;

  /**
   * What the end of the body says where no line has ended the answer.
   *
   * @throws IOException if the answer is not complete
   */
  List<Chunk> bodyEnded() throws IOException {
    throw new IOException("the answer ended without its end mark");
  }

  /** Waits for the first chunk, so that what fails at once fails before an answer has begun. */
  LineStream awaitFirst(Duration limit) throws ModelException {
    ready.addFirst(read(limit));
    return this;
  }

  @Override
  public Chunk next() throws ModelException {
    Chunk chunk = ready.poll();
    if (chunk != null) {
      return chunk;
    }
    if (finished) {
      throw new IllegalStateException("the chunk with the finish was the last one");
    }
    return read(betweenTokens);
  }

  @Override
  public void close() {
    if (!closed.compareAndSet(false, true)) {
      return;
    }
    if (finished) {
      drain();
    }
    Watchdog.closeQuietly(body);
  }

  static ModelException notUnderstood(IOException cause) {
    return new ModelException.Unavailable(
        "The model server sent what cannot be understood.", cause, true);
  }

  /** A body read to its end leaves the connection to the next request. */
  private void drain() {
    try (Watchdog.Alarm ignored = Watchdog.watch(body, DRAIN_LIMIT)) {
      body.skipNBytes(LineReader.LIMIT_BYTES);
    } catch (IOException ignored) {
      // The end of the stream, or of our patience.
    }
  }

  /**
   * The limit is for all lines up to one that says something: keep-alive lines do not extend it.
   */
  private Chunk read(Duration limit) throws ModelException {
    Watchdog.Alarm alarm = Watchdog.watch(body, limit);
    try (alarm) {
      Chunk chunk = ready.poll();
      while (chunk == null) {
        byte[] line = lines.next();
        if (closed.get() || alarm.rang()) { // what looks like the end, or a last line, is neither
          throw new IOException("the body was closed on this side");
        }
        ready.addAll(line == null ? bodyEnded() : parse(line));
        chunk = ready.poll();
      }
      finished = chunk.finish() != null;
      return chunk;
    } catch (ModelException | RuntimeException e) {
      close();
      throw e;
    } catch (IOException e) {
      boolean cancelled = closed.get();
      close();
      if (alarm.rang()) {
        throw new ModelException.TimedOut(
            "The model server sent nothing for " + limit.toMillis() + " ms.", e);
      }
      throw new ModelException.Unavailable(
          cancelled ? "The answer was cancelled." : "The model server broke off its answer.", e);
    }
  }
}
