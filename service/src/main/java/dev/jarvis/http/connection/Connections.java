package dev.jarvis.http.connection;

import io.helidon.common.buffers.BufferData;
import io.helidon.common.buffers.DataReader;
import io.helidon.common.buffers.DataWriter;
import io.helidon.common.concurrency.limits.Limit;
import io.helidon.common.socket.HelidonSocket;
import io.helidon.common.socket.PeerInfo;
import io.helidon.common.task.InterruptableTask;
import io.helidon.webserver.ConnectionContext;
import io.helidon.webserver.ListenerContext;
import io.helidon.webserver.ProxyProtocolData;
import io.helidon.webserver.Router;
import io.helidon.webserver.http1.Http1Config;
import io.helidon.webserver.http1.Http1ConnectionSelector;
import io.helidon.webserver.spi.ServerConnection;
import io.helidon.webserver.spi.ServerConnectionSelector;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ExecutorService;

/**
 * Makes HTTP/1.1 connections read and write through a {@link ClientConnection}. Helidon has no time
 * limits for reads and writes, does not detect disconnects, and sends a body to {@code HEAD}.
 */
public final class Connections implements ServerConnectionSelector {
  /** What RFC 9112, section 3, recommends at least. */
  public static final int MAX_REQUEST_LINE_BYTES = 8_000;

  public static final int MAX_HEADER_BYTES = 16 << 10;

  private final ServerConnectionSelector http1 =
      Http1ConnectionSelector.builder()
          .config(
              Http1Config.builder()
                  .maxPrologueLength(MAX_REQUEST_LINE_BYTES)
                  .maxHeadersSize(MAX_HEADER_BYTES)
                  .build())
          .build();
  private final Duration headLimit;
  private final Duration bodyLimit;
  private final Duration writeLimit;

  /**
   * Creates connections with limits.
   *
   * @param headLimit from the first byte of a request's head to its last
   * @param bodyLimit from there to the last byte of its body
   * @param writeLimit how long a client may take to accept a piece of a response
   */
  public Connections(Duration headLimit, Duration bodyLimit, Duration writeLimit) {
    this.headLimit = headLimit;
    this.bodyLimit = bodyLimit;
    this.writeLimit = writeLimit;
  }

  @Override
  public int bytesToIdentifyConnection() {
    return http1.bytesToIdentifyConnection();
  }

  @Override
  public Support supports(BufferData data) {
    return http1.supports(data);
  }

  @Override
  public Set<String> supportedApplicationProtocols() {
    return http1.supportedApplicationProtocols();
  }

  @Override
  public ServerConnection connection(ConnectionContext context) {
    ClientConnection client =
        new ClientConnection(
            context.serverSocket(), context.dataWriter(), headLimit, bodyLimit, writeLimit);
    return new Lingering(
        http1.connection(new WithOwnEnds(context, client.reader(), client.writer())), client);
  }

  /** Does not end before the client has read its response. */
  private record Lingering(ServerConnection own, ClientConnection client)
      implements ServerConnection, InterruptableTask<Void> {
    @Override
    public void handle(Limit limit) throws InterruptedException {
      try {
        own.handle(limit);
      } finally {
        client.linger();
      }
    }

    @Override
    public Duration idleTime() {
      return own.idleTime();
    }

    @Override
    public void close(boolean interrupt) {
      own.close(interrupt);
    }

    /** Whether it only waits for a request, so that shutdown need not wait for it. */
    @Override
    public boolean canInterrupt() {
      return own instanceof InterruptableTask<?> task && task.canInterrupt();
    }
  }

  /** The server's own context with another reader and writer. */
  private record WithOwnEnds(ConnectionContext own, DataReader dataReader, DataWriter dataWriter)
      implements ConnectionContext {
    @Override
    public ListenerContext listenerContext() {
      return own.listenerContext();
    }

    @Override
    public ExecutorService executor() {
      return own.executor();
    }

    @Override
    public Router router() {
      return own.router();
    }

    @Override
    public Optional<ProxyProtocolData> proxyProtocolData() {
      return own.proxyProtocolData();
    }

    @Override
    public HelidonSocket serverSocket() {
      return own.serverSocket();
    }

    @Override
    public PeerInfo remotePeer() {
      return own.remotePeer();
    }

    @Override
    public PeerInfo localPeer() {
      return own.localPeer();
    }

    @Override
    public boolean isSecure() {
      return own.isSecure();
    }

    @Override
    public String socketId() {
      return own.socketId();
    }

    @Override
    public String childSocketId() {
      return own.childSocketId();
    }
  }
}
