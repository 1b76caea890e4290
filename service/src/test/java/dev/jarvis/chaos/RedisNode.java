package dev.jarvis.chaos;

import static org.awaitility.Awaitility.await;

import io.lettuce.core.RedisClient;
import io.lettuce.core.RedisURI;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.api.sync.RedisCommands;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/** A Redis that keeps its data in memory only, and evicts keys with a TTL when it is full. */
final class RedisNode implements AutoCloseable {
  private static final Duration LIMIT = Duration.ofSeconds(20);
  private static final String MAX_MEMORY = "64mb";

  private final Path folder;
  private final int port;
  private ServerProcess process;

  RedisNode(Path folder) throws IOException {
    this.folder = Files.createDirectories(folder);
    this.port = ServerProcess.freePort();
    start();
  }

  /** Starts it, empty, and waits until it answers. */
  void start() throws IOException {
    process =
        ServerProcess.start(
            List.of(
                "redis-server",
                "--bind",
                "127.0.0.1",
                "--port",
                Integer.toString(port),
                "--save",
                "",
                "--dir",
                folder.toString(),
                "--maxmemory",
                MAX_MEMORY,
                "--maxmemory-policy",
                "volatile-lfu"),
            Map.of(),
            folder.resolve("log"));
    await().atMost(LIMIT).ignoreExceptions().until(() -> "PONG".equals(call(RedisCommands::ping)));
  }

  int port() {
    return port;
  }

  ServerProcess process() {
    return process;
  }

  void restart() throws IOException {
    process.end("KILL");
    start();
  }

  void flush() {
    call(RedisCommands::flushall);
  }

  /** Refuses from now on what needs memory; nothing in it can be evicted. */
  void fill() {
    call(it -> it.set("chaos:ballast", "x".repeat(8 << 20)));
    call(it -> it.configSet("maxmemory", "4mb"));
  }

  void empty() {
    call(it -> it.configSet("maxmemory", MAX_MEMORY));
    call(it -> it.del("chaos:ballast"));
  }

  <T> T call(Function<RedisCommands<String, String>, T> command) {
    RedisURI uri = RedisURI.builder().withHost("127.0.0.1").withPort(port).build();
    try (RedisClient client = RedisClient.create(uri);
        StatefulRedisConnection<String, String> connection = client.connect()) {
      return command.apply(connection.sync());
    }
  }

  @Override
  public void close() {
    process.close();
  }
}
