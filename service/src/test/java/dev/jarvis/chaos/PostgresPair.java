package dev.jarvis.chaos;

import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;

/**
 * A primary PostgreSQL and a standby that follows it by streaming replication; clients connect to a
 * port that a failover moves to the new primary.
 */
final class PostgresPair implements AutoCloseable {
  private static final Duration LIMIT = Duration.ofSeconds(30);

  private final Path folder;
  private final Forwarder clients;
  private final Forwarder replication;
  private int number;
  private PostgresNode primary;
  private PostgresNode standby;

  PostgresPair(Path folder) throws IOException, InterruptedException {
    this.folder = folder;
    this.primary = PostgresNode.create(next());
    this.clients = new Forwarder(primary.port());
    this.replication = new Forwarder(primary.port());
  }

  private Path next() {
    return folder.resolve("postgres-" + ++number);
  }

  /** The port for clients. */
  int port() {
    return clients.port();
  }

  PostgresNode primary() {
    return primary;
  }

  /** Adds a standby, and waits until it has what the primary has. */
  void addStandby() throws IOException, InterruptedException {
    replication.connect(primary.port());
    standby = primary.standby(next(), replication.port());
  }

  /** Keeps from the standby what the primary writes from now on. */
  void lag() {
    replication.cut();
  }

  /** Kills the primary and promotes the standby, without what it lacks. */
  void failOver() throws IOException {
    primary.crash();
    clients.cut();
    standby.promote();
    primary = standby;
    await().atMost(LIMIT).until(() -> !primary.inRecovery());
    clients.connect(primary.port());
  }

  /** Disconnects the clients, so that they reconnect. */
  void disconnect() {
    clients.cut();
    clients.connect(primary.port());
  }

  @Override
  public void close() throws IOException {
    if (standby != null) {
      standby.close();
    }
    primary.close();
    clients.close();
    replication.close();
  }
}
