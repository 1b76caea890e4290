package dev.jarvis.model;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/** Ollama's lines of JSON as an answer. Closing it drops the connection, at which Ollama stops. */
final class OllamaStream implements ChatStream {
  private static final ObjectMapper JSON = new ObjectMapper();

  /** How long the end of a whole answer may take before its connection is given up. */
  private static final Duration DRAIN_LIMIT = Duration.ofMillis(250);

  private final InputStream body;
  private final LineReader lines;
  private final Watchdog watchdog;
  private final Duration betweenTokens;
  private final AtomicBoolean closed = new AtomicBoolean();
  private volatile Usage usage = new Usage(0, 0);
  private volatile boolean finished;
  private @Nullable Chunk first;

  private OllamaStream(InputStream body, Watchdog watchdog, Duration betweenTokens) {
    this.body = body;
    this.lines = new LineReader(body);
    this.watchdog = watchdog;
    this.betweenTokens = betweenTokens;
  }

  /** Waits for the first line, so that what fails at once fails before an answer has begun. */
  static OllamaStream open(
      InputStream body, Watchdog watchdog, Duration firstToken, Duration betweenTokens)
      throws ModelException {
    OllamaStream stream = new OllamaStream(body, watchdog, betweenTokens);
    stream.first = stream.read(firstToken);
    return stream;
  }

  @Override
  public Chunk next() throws ModelException {
    Chunk chunk = first;
    if (chunk != null) {
      first = null;
      return chunk;
    }
    if (finished) {
      throw new IllegalStateException("the chunk with the finish was the last one");
    }
    return read(betweenTokens);
  }

  @Override
  public Usage usage() {
    return usage;
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

  /** A body read to its end leaves the connection to the next request. */
  private void drain() {
    try (Watchdog.Alarm ignored = watchdog.watch(body, DRAIN_LIMIT)) {
      body.skipNBytes(LineReader.LIMIT_BYTES);
    } catch (IOException ignored) {
      // The end of the stream, or of our patience.
    }
  }

  private Chunk read(Duration limit) throws ModelException {
    try {
      Chunk chunk = parse(line(limit));
      finished = chunk.finish() != null;
      return chunk;
    } catch (ModelException e) {
      close();
      throw e;
    }
  }

  private byte @Nullable [] line(Duration limit) throws ModelException {
    Watchdog.Alarm alarm = watchdog.watch(body, limit);
    try (alarm) {
      byte[] line = lines.next();
      if (line != null) {
        return line;
      }
      throw new IOException("the answer ended without done");
    } catch (IOException e) {
      if (alarm.rang()) {
        throw new ModelException.TimedOut(
            "The model server sent nothing for " + limit.toMillis() + " ms.", e);
      }
      throw new ModelException.Unavailable(
          closed.get() ? "The answer was cancelled." : "The model server broke off its answer.", e);
    }
  }

  private Chunk parse(byte @Nullable [] line) throws ModelException {
    JsonNode node;
    try {
      node = JSON.readTree(line);
    } catch (IOException e) {
      throw notUnderstood(e);
    }
    if (node.hasNonNull("error")) {
      // The text may name addresses of the server: for the log, not for the client.
      throw new ModelException.Unavailable(
          "The model server failed in its answer.", new IOException(OllamaError.text(node)));
    }
    JsonNode content = node.path("message").path("content");
    if (!content.isTextual()) {
      throw notUnderstood(new IOException("no message.content in a line of the answer"));
    }
    if (!node.path("done").asBoolean()) {
      usage = new Usage(usage.inputTokens(), usage.outputTokens() + 1);
      return new Chunk(content.textValue(), null);
    }
    // Ollama 0.11 counts the whole prompt, cached or not; it leaves a count of 0 out.
    usage =
        new Usage(
            Math.max(0, node.path("prompt_eval_count").asInt()),
            Math.max(0, node.path("eval_count").asInt()));
    Reason reason =
        node.path("done_reason").asText().equals("length") ? Reason.LENGTH : Reason.STOP;
    return new Chunk(content.textValue(), new Finish(reason, usage, OllamaTimings.of(node)));
  }

  private static ModelException notUnderstood(IOException cause) {
    return new ModelException.Unavailable(
        "The model server sent what cannot be understood.", cause);
  }
}
