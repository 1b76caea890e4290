package dev.jarvis.chaos;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;

/**
 * Holds calls at their {@link Moment} until the test goes on, in replicas through {@link Held} and
 * in the model server. Also learns from the replicas where they listen. Thread-safe.
 */
final class Gate implements AutoCloseable {
  private final ServerSocket server = new ServerSocket(0, 1000, InetAddress.getLoopbackAddress());
  private final Map<Long, Integer> ports = new ConcurrentHashMap<>();
  private final Set<String> held = ConcurrentHashMap.newKeySet();
  private volatile List<String> stages = List.of();
  private volatile CountDownLatch opened = new CountDownLatch(0);

  Gate() throws IOException {
    Thread.ofVirtual().name("gate").start(this::accept);
  }

  int port() {
    return server.getLocalPort();
  }

  /** The stages of the pipeline, from the replica that started last. */
  List<String> stages() {
    return stages;
  }

  /** The port of a replica that is ready; 0 before. */
  int port(long pid) {
    return ports.getOrDefault(pid, 0);
  }

  /** Holds the calls that come from now on. */
  void shut() {
    held.clear();
    opened = new CountDownLatch(1);
  }

  /** Lets all held calls pass, and those that come from now on. */
  void open() {
    opened.countDown();
  }

  /** Whether a call has come to its moment since the gate was shut. */
  boolean holds(String requestId) {
    return held.contains(requestId);
  }

  /** Notes that a call has come to its moment, and returns when it may pass. */
  void await(String requestId) {
    CountDownLatch until = opened;
    held.add(requestId);
    try {
      until.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void accept() {
    try {
      while (true) {
        Socket socket = server.accept();
        Thread.ofVirtual().start(() -> serve(socket));
      }
    } catch (IOException e) {
      // closed
    }
  }

  private void serve(Socket socket) {
    try (socket) {
      String line =
          new BufferedReader(new InputStreamReader(socket.getInputStream(), UTF_8)).readLine();
      String[] parts = (line == null ? "" : line).split(" ", -1);
      switch (parts[0]) {
        case "hold" -> await(parts[1]);
        case "ready" -> ports.put(Long.valueOf(parts[1]), Integer.valueOf(parts[2]));
        case "stages" -> stages = List.of(parts[1].split(",", -1));
        default -> throw new IOException("not a message of a replica: " + line);
      }
      socket.getOutputStream().write('\n');
    } catch (IOException e) {
      // the replica was killed
    }
  }

  @Override
  public void close() throws IOException {
    open();
    server.close();
  }
}
