package dev.jarvis.storage;

import static java.util.concurrent.TimeUnit.MILLISECONDS;

import dev.jarvis.telemetry.ClientOperation;
import dev.jarvis.telemetry.ClientOperation.Target;
import dev.jarvis.telemetry.Telemetry;
import io.lettuce.core.ClientOptions;
import io.lettuce.core.ClientOptions.DisconnectedBehavior;
import io.lettuce.core.MaintNotificationsConfig;
import io.lettuce.core.RedisClient;
import io.lettuce.core.RedisConnectionException;
import io.lettuce.core.RedisException;
import io.lettuce.core.RedisURI;
import io.lettuce.core.SocketOptions;
import io.lettuce.core.TimeoutOptions;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.api.async.RedisAsyncCommands;
import io.lettuce.core.metrics.CommandLatencyRecorder;
import io.lettuce.core.protocol.CommandType;
import io.lettuce.core.protocol.ProtocolKeyword;
import io.lettuce.core.protocol.RedisCommand;
import io.lettuce.core.resource.ClientResources;
import io.lettuce.core.resource.DefaultClientResources;
import io.lettuce.core.resource.Delay;
import java.io.Closeable;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The client of Redis, with one connection. While Redis is unavailable, commands fail at once; the
 * client reconnects in the background.
 */
public final class Redis implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Redis.class);
  private static final int MAX_PENDING_COMMANDS = 1_000;

  /**
   * How long a script's response is of use: what it counted late can then still be given back. A
   * Redis that was frozen runs all that it was sent.
   */
  private static final Duration SCRIPT_TIMEOUT = Duration.ofMinutes(5);

  private static final Duration CONNECT_PERIOD = Duration.ofSeconds(1);
  private static final Duration RECONNECT_LIMIT = Duration.ofSeconds(2);

  private final Closeable server;
  private final Telemetry telemetry;
  private final Duration commandTimeout;
  private final ClientResources resources;
  private final RedisClient client;
  private volatile @Nullable StatefulRedisConnection<String, String> connection;
  private volatile boolean closed;

  private Redis(Closeable server, RedisURI uri, Duration commandTimeout, Telemetry telemetry) {
    this.server = server;
    this.telemetry = telemetry;
    this.commandTimeout = commandTimeout;
    this.resources =
        DefaultClientResources.builder()
            .commandLatencyRecorder(CommandLatencyRecorder.disabled()) // ClientOperation measures
            .reconnectDelay( // whose default grows to 30 s
                () -> Delay.exponential(Duration.ofMillis(100), RECONNECT_LIMIT, 2, MILLISECONDS))
            .build();
    uri.setTimeout(commandTimeout);
    this.client = RedisClient.create(resources, uri);
    client.setOptions(
        ClientOptions.builder()
            .autoReconnect(true)
            .disconnectedBehavior(DisconnectedBehavior.REJECT_COMMANDS)
            .replayFilter(command -> true) // or one would be executed twice
            .requestQueueSize(MAX_PENDING_COMMANDS)
            .socketOptions(
                SocketOptions.builder().connectTimeout(commandTimeout).keepAlive(true).build())
            .timeoutOptions(
                TimeoutOptions.builder().timeoutSource(new Timeouts(commandTimeout)).build())
            .maintNotificationsConfig(MaintNotificationsConfig.disabled())
            .build());
  }

  /**
   * Connects. If Redis is unavailable, the client connects in the background later.
   *
   * @param server an embedded server, which is closed after the connection
   */
  public static Redis open(
      RedisURI uri, RedisConfig config, Telemetry telemetry, Closeable server) {
    Redis redis = new Redis(server, uri, config.commandTimeout(), telemetry);
    redis.start();
    return redis;
  }

  private void start() {
    try {
      connection = client.connect();
    } catch (RedisException e) {
      LOG.atWarn()
          .addKeyValue("error", message(e))
          .log("redis is unavailable; retrying in the background");
      Thread.ofVirtual().name("redis-connect").start(this::keepConnecting);
    }
  }

  /** Retries until the first connection; from then on Lettuce reconnects. */
  private void keepConnecting() {
    while (!closed && connection == null) {
      try {
        Thread.sleep(CONNECT_PERIOD);
        connection = client.connect();
        LOG.info("connected to redis");
      } catch (RedisException e) {
        LOG.atDebug().addKeyValue("error", message(e)).log("redis is still unavailable");
      } catch (InterruptedException | IllegalStateException e) {
        return; // closed
      }
    }
  }

  private static String message(Throwable error) {
    Throwable root = error;
    while (root.getCause() != null) {
      root = root.getCause();
    }
    return String.valueOf(root.getMessage());
  }

  private static final class Timeouts extends TimeoutOptions.TimeoutSource {
    private final long millis;

    private Timeouts(Duration ofCommands) {
      this.millis = ofCommands.toMillis();
    }

    @Override
    public long getTimeout(RedisCommand<?, ?, ?> command) {
      ProtocolKeyword type = command.getType();
      boolean script = type == CommandType.EVAL || type == CommandType.EVALSHA;
      return script ? SCRIPT_TIMEOUT.toMillis() : millis;
    }
  }

  /**
   * Sends commands without a span. Never blocks and never throws: the future fails if Redis is
   * unavailable, too many commands are pending, or no response arrives in time. For scripts that is
   * minutes, so their callers must not wait for the future alone.
   */
  public <T> CompletionStage<T> send(
      Function<RedisAsyncCommands<String, String>, ? extends CompletionStage<T>> command) {
    StatefulRedisConnection<String, String> open = connection;
    if (open == null) {
      return CompletableFuture.failedFuture(new RedisConnectionException("Redis is unavailable"));
    }
    try {
      return command.apply(open.async());
    } catch (RuntimeException e) {
      return CompletableFuture.failedFuture(e);
    }
  }

  /**
   * Like {@link #send}, with a span under the current one, which ends after the command timeout.
   *
   * @param name the command, which becomes a metric's label
   */
  public <T> CompletionStage<T> sendTraced(
      String name,
      Function<RedisAsyncCommands<String, String>, ? extends CompletionStage<T>> command) {
    ClientOperation operation = telemetry.operation(Target.REDIS, name);
    CompletableFuture<T> response =
        send(command).whenComplete((result, error) -> operation.end(error)).toCompletableFuture();
    var _ =
        response
            .copy()
            .orTimeout(commandTimeout.toMillis(), MILLISECONDS)
            .whenComplete((result, error) -> operation.end(error));
    return response;
  }

  /** Checks that Redis answers, without a span; throws if it does not. */
  public void check() throws Exception {
    send(RedisAsyncCommands::ping)
        .toCompletableFuture()
        .get(commandTimeout.toMillis(), MILLISECONDS);
  }

  @Override
  public void close() throws IOException {
    closed = true;
    client.shutdown(Duration.ZERO, commandTimeout);
    resources
        .shutdown(0, commandTimeout.toMillis(), MILLISECONDS)
        .awaitUninterruptibly(commandTimeout.toMillis());
    server.close();
  }
}
