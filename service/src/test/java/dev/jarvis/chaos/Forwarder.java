package dev.jarvis.chaos;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Forwards TCP connections from a port that stays the same to one that a failover changes.
 * Thread-safe.
 */
final class Forwarder implements AutoCloseable {
  private final ServerSocket server = new ServerSocket(0, 200, InetAddress.getLoopbackAddress());
  private final Set<Socket> sockets = ConcurrentHashMap.newKeySet();
  private volatile int target;
  private volatile boolean cut;

  Forwarder(int target) throws IOException {
    this.target = target;
    Thread.ofVirtual().name("forwarder").start(this::accept);
  }

  int port() {
    return server.getLocalPort();
  }

  /** Closes the connections and refuses new ones. */
  void cut() {
    cut = true;
    sockets.forEach(Forwarder::closeQuietly);
  }

  /** Forwards new connections to a port from now on. */
  void connect(int port) {
    target = port;
    cut = false;
  }

  private void accept() {
    try {
      while (true) {
        Socket client = server.accept();
        Thread.ofVirtual().start(() -> forward(client));
      }
    } catch (IOException e) {
      // closed
    }
  }

  private void forward(Socket client) {
    try (client;
        Socket upstream = new Socket(InetAddress.getLoopbackAddress(), target)) {
      client.setTcpNoDelay(true);
      upstream.setTcpNoDelay(true);
      sockets.add(client);
      sockets.add(upstream);
      if (cut) {
        return;
      }
      Thread back = Thread.ofVirtual().start(() -> pump(upstream, client));
      pump(client, upstream);
      back.join();
    } catch (IOException | InterruptedException e) {
      // the server is not there; the client sees a closed connection
    } finally {
      sockets.remove(client);
    }
  }

  private void pump(Socket from, Socket to) {
    try {
      from.getInputStream().transferTo(to.getOutputStream());
    } catch (IOException e) {
      // one of them has closed its end
    } finally {
      closeQuietly(from);
      closeQuietly(to);
      sockets.remove(from);
    }
  }

  private static void closeQuietly(Socket socket) {
    try {
      socket.close();
    } catch (IOException e) {
      // it is not needed any more
    }
  }

  @Override
  public void close() throws IOException {
    server.close();
    cut();
  }
}
