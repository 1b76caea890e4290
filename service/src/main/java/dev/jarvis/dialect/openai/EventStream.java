package dev.jarvis.dialect.openai;

import com.fasterxml.jackson.databind.JsonNode;
import dev.jarvis.json.Json;
import io.helidon.webserver.ServerConnectionException;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;

/** Server-sent events, each written out at once. */
final class EventStream implements AutoCloseable {
  /** The client no longer takes what is written. */
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

  /** A line that clients skip. */
  void comment(String text) throws ClientGone {
    write(COMMENT, text.getBytes(StandardCharsets.UTF_8));
  }

  /** OpenAI's mark of a stream that ended as it should. */
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

  /** Lets go of a connection that is of no further use. */
  void closeQuietly() {
    try {
      close();
    } catch (ClientGone e) {
      // known already
    }
  }

  /** Ends the body in good order: not to be called where the answer is not complete. */
  @Override
  public void close() throws ClientGone {
    try {
      out.close();
    } catch (IOException | UncheckedIOException | ServerConnectionException e) {
      throw new ClientGone(e);
    }
  }
}
