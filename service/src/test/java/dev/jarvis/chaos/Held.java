package dev.jarvis.chaos;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.Socket;
import java.util.List;

/** A replica's side of the {@link Gate}: reports a call that has come to its point, and waits. */
public final class Held {
  private final int port;

  public Held(int port) {
    this.port = port;
  }

  /** Reports the port that a replica listens on. */
  public void ready(long pid, int server) {
    send("ready %d %d".formatted(pid, server));
  }

  /** Reports the names of the stages of the pipeline. */
  void stages(List<String> names) {
    send("stages " + String.join(",", names));
  }

  /** Returns when the gate lets the call pass. */
  void await(String requestId) {
    send("hold " + requestId);
  }

  private void send(String line) {
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
      socket.getOutputStream().write((line + "\n").getBytes(UTF_8));
      int ignored = socket.getInputStream().read();
    } catch (IOException e) {
      throw new UncheckedIOException("the test's gate is closed", e);
    }
  }
}
