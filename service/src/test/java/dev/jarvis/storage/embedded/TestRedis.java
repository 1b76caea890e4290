package dev.jarvis.storage.embedded;

import dev.jarvis.SharedUntilExit;
import dev.jarvis.TestFolders;
import dev.jarvis.config.Configs;
import dev.jarvis.storage.RedisConfig;
import io.lettuce.core.RedisClient;
import io.lettuce.core.RedisURI;
import io.lettuce.core.api.StatefulRedisConnection;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;

/**
 * An empty numbered database of Redis, emptied when it is closed. All tests of this JVM share the
 * Redis, so a test that stops or stalls the server must start a separate one.
 */
public final class TestRedis implements AutoCloseable {
  private static final int DATABASES = 16; // Redis's default
  private static final BlockingQueue<Integer> FREE =
      new LinkedBlockingQueue<>(IntStream.range(0, DATABASES).boxed().toList());

  private final Server server = Server.RUNNING;
  private final int number;

  private TestRedis(int number) {
    this.number = number;
  }

  public static TestRedis take() throws InterruptedException {
    Integer free = FREE.poll(60, TimeUnit.SECONDS);
    if (free == null) {
      throw new AssertionError("every Redis database is in use: a test did not close its service");
    }
    return new TestRedis(free);
  }

  public RedisConfig config(Duration commandTimeout) {
    return config(url(), server.redis.password(), commandTimeout);
  }

  /** The configuration of a client of a server that the test stops or stalls. */
  public static RedisConfig config(LocalRedis server, Duration commandTimeout) {
    RedisURI uri = server.uri();
    return config(
        "redis://%s:%d".formatted(uri.getHost(), uri.getPort()), server.password(), commandTimeout);
  }

  private static RedisConfig config(String url, String password, Duration commandTimeout) {
    return Configs.of(
        RedisConfig.class,
        Map.of("url", url, "password", password, "command-timeout", commandTimeout.toString()));
  }

  /** The environment variables of a service that uses it. */
  public Map<String, String> environment() {
    return Map.of("JARVIS_REDIS_URL", url(), "JARVIS_REDIS_PASSWORD", server.redis.password());
  }

  private String url() {
    RedisURI uri = server.redis.uri();
    return "redis://%s:%d/%d".formatted(uri.getHost(), uri.getPort(), number);
  }

  @Override
  public void close() {
    RedisURI uri = server.redis.uri();
    uri.setDatabase(number);
    try (RedisClient client = RedisClient.create(uri);
        StatefulRedisConnection<String, String> connection = client.connect()) {
      connection.sync().flushdb();
    }
    FREE.add(number);
  }

  private record Server(Path folder, LocalRedis redis) implements AutoCloseable {
    private static final Server RUNNING = start();

    private static Server start() {
      try {
        Path folder = TestFolders.create();
        return SharedUntilExit.add(new Server(folder, LocalRedis.start(folder)));
      } catch (IOException e) {
        throw new AssertionError("the tests' Redis did not start", e);
      }
    }

    @Override
    public void close() throws IOException {
      redis.close();
      TestFolders.delete(folder);
    }
  }
}
