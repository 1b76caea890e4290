package dev.jarvis.dialect.openai;

import com.fasterxml.jackson.databind.JsonNode;
import dev.jarvis.json.Json;
import io.helidon.webserver.ServerConnectionException;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;

/** Writes server-sent events, without buffering. */
final class EventStream implements AutoCloseable {
  /** The client disconnected. */
  static final class ClientGone extends Exception {
    private static final long serialVersionUID = 1L;

    ClientGone(Throwable cause) {
      super(cause);
    }
  }

  private static final byte[] DATA = "data: ".getBytes(StandardCharsets.US_ASCII);
  private static final byte[] COMMENT = ": ".getBytes(StandardCharsets.US_ASCII);
  private static final byte[] END = "\n\n".getBytes(StandardCharsets.US_ASCII);
  private static final byte[] DONE = "[DONE]".getBytes(StandardCharsets.US_ASCII);

  private final OutputStream out;

  EventStream(OutputStream out) {
    this.out = out;
  }

  void send(JsonNode event) throws ClientGone {
    write(DATA, Json.bytes(event));
  }

  /** Sends a comment, which clients ignore. */
  void comment(String text) throws ClientGone {
    write(COMMENT, text.getBytes(StandardCharsets.UTF_8));
  }

  /** Sends OpenAI's mark of a complete stream. */
  void done() throws ClientGone {
    write(DATA, DONE);
  }

  private void write(byte[] field, byte[] data) throws ClientGone {
    try {
      out.write(field);
      out.write(data);
      out.write(END);
      out.flush();
    } catch (IOException | UncheckedIOException | ServerConnectionException e) {
      throw new ClientGone(e);
    }
  }

  /** Gives up a connection that is no longer usable. */
  void closeQuietly() {
    try {
      close();
    } catch (ClientGone e) {
      // known already
    }
  }

  /** Completes the body. Must not be called if the answer is incomplete. */
  @Override
  public void close() throws ClientGone {
    try {
      out.close();
    } catch (IOException | UncheckedIOException | ServerConnectionException e) {
      throw new ClientGone(e);
    }
  }
}
