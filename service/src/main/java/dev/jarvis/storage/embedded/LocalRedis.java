package dev.jarvis.storage.embedded;

import io.lettuce.core.RedisURI;
import java.io.Closeable;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import redis.embedded.core.ExecutableProvider;

/**
 * Runs a real Redis as a daemon; its data persists between runs. It listens on a free port of the
 * loopback interface only, and needs the random password in a file beside the data.
 *
 * <p>The library provides the binary only. Its own way to run Redis would stop it in a shutdown
 * hook, while requests in progress still use it, and a Ctrl-C in a terminal would reach it.
 */
public final class LocalRedis implements Closeable {
  private static final Duration START_LIMIT = Duration.ofSeconds(10);

  private final ServerFolder folder;
  private final int port;
  private final String password;

  private LocalRedis(ServerFolder folder, int port, String password) {
    this.folder = folder;
    this.port = port;
    this.password = password;
  }

  /**
   * Starts the server with its data in a folder, which is created if it does not exist.
   *
   * @throws IOException if another process uses the folder or the server does not start
   */
  public static LocalRedis start(Path path) throws IOException {
    return start(path, freePort(), null);
  }

  public static LocalRedis start(Path path, int port, @Nullable String password)
      throws IOException {
    ServerFolder folder = ServerFolder.open(path);
    LocalRedis redis =
        new LocalRedis(folder, port, password == null ? folder.password() : password);
    try {
      folder.stopOrphan(redis.pidFile());
      redis.run();
      return redis;
    } catch (IOException e) {
      redis.close();
      throw new IOException("the embedded Redis did not start, see " + redis.logFile(), e);
    }
  }

  private void run() throws IOException {
    Path binary =
        ExecutableProvider.newJarResourceProvider(folder.resolve("").toFile()).get().toPath();
    Files.deleteIfExists(logFile());
    // in a file, because every user of the machine can read the arguments of a process
    Path config =
        folder.write(
            "redis.conf",
            """
            bind 127.0.0.1
            port %d
            requirepass %s
            dir "%s"
            appendonly yes
            save ""
            daemonize yes
            pidfile "%s"
            logfile "%s"
            loglevel warning
            set-proc-title no
            """
                .formatted(port, password, folder.resolve(""), pidFile(), logFile()));
    Process process =
        new ProcessBuilder(binary.toString(), config.toString())
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .start();
    long deadline = System.nanoTime() + START_LIMIT.toNanos();
    try {
      if (!process.waitFor(START_LIMIT.toMillis(), TimeUnit.MILLISECONDS)
          || process.exitValue() != 0) {
        process.destroyForcibly();
        throw new IOException("redis-server ended with an error");
      }
      while (!answers()) {
        if (System.nanoTime() > deadline) {
          throw new IOException("redis-server does not answer on port " + port);
        }
        Thread.sleep(20);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted while redis-server starts", e);
    }
  }

  private boolean answers() {
    try (Socket socket = new Socket()) {
      socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 500);
      return folder.process(pidFile()).isPresent(); // its file is there before the id is in it
    } catch (IOException e) {
      return false;
    }
  }

  private static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }

  private Path pidFile() {
    return folder.resolve("redis.pid");
  }

  private Path logFile() {
    return folder.resolve("redis.log");
  }

  public String password() {
    return password;
  }

  /** The id of the server's process, for tests that stall it. */
  public long pid() throws IOException {
    return folder.process(pidFile()).orElseThrow().pid();
  }

  /** The URL, with which the service connects as to any other server. */
  public RedisURI uri() {
    return RedisURI.builder()
        .withHost("127.0.0.1")
        .withPort(port)
        .withPassword(password.toCharArray())
        .build();
  }

  /** Stops the server, within seconds; it saves its data first. */
  @Override
  public void close() throws IOException {
    folder.process(pidFile()).ifPresent(folder::stop);
    folder.close();
  }
}
