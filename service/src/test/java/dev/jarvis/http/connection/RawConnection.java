package dev.jarvis.http.connection;

import dev.jarvis.TestService;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;

/** A raw connection, for what HTTP clients do not do. A read takes at most 20 s. */
public final class RawConnection implements AutoCloseable {
  private final Socket socket;

  public RawConnection(TestService service) throws IOException {
    socket = new Socket(InetAddress.getLoopbackAddress(), service.port());
    readLimit(Duration.ofSeconds(20));
  }

  /** The text of a request to the chat route with the admin's key. */
  public static String chat(String body) {
    return "POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Length: %d\r\n\r\n%s"
        .formatted(TestService.KEY, body.length(), body);
  }

  public void readLimit(Duration limit) throws IOException {
    socket.setSoTimeout(Math.toIntExact(limit.toMillis()));
  }

  public RawConnection send(String text) throws IOException {
    socket.getOutputStream().write(text.getBytes(StandardCharsets.ISO_8859_1));
    return this;
  }

  /** Reads up to and including the mark. */
  public String readUntil(String mark) throws IOException {
    InputStream in = socket.getInputStream();
    StringBuilder text = new StringBuilder();
    while (text.indexOf(mark) < 0) {
      int next = in.read();
      if (next < 0) {
        throw new EOFException("ended before %s: %s".formatted(mark, text));
      }
      text.append((char) next);
    }
    return text.toString();
  }

  /** Reads until the server closes. */
  public String readAll() throws IOException {
    return new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
  }

  /** Shuts down the output only. */
  public void halfClose() throws IOException {
    socket.shutdownOutput();
  }

  /** Closes with a reset. */
  public void reset() throws IOException {
    socket.setSoLinger(true, 0);
    socket.close();
  }

  @Override
  public void close() throws IOException {
    socket.close();
  }
}
